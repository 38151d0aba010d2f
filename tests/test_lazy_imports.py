"""Nothing heavy is imported until a test has imported it: each case is a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "torch", "sklearn", "scipy", "pandas", "polars", "pyarrow", "rich", "click", "blake3", "hypothesis")


def heavy_after(code: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint([name for name in {HEAVY!r} if name in sys.modules])"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    return eval(done.stdout.splitlines()[-1])


def test_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    assert heavy_after("import pytest_mlrepro", tmp_path) == []


def test_noticing_files_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "from pathlib import Path\nfrom pytest_mlrepro.tracking import FileTracker\n"
    assert heavy_after(code + "with FileTracker([Path('.')]).tracking(): open('f', 'w').close()", tmp_path) == []


@pytest.mark.parametrize(
    "test",
    [
        "def test_m(): pass",
        "import pytest\n@pytest.mark.repro\ndef test_m(): import random; assert random.random()",
        "def test_m(repro): assert repro.seed == 0",
    ],
    ids=["unused", "marked", "fixture"],
)
def test_a_run_without_goldens_imports_nothing_heavy(test: str, tmp_path: Path) -> None:
    (tmp_path / "test_m.py").write_text(test, "utf-8")
    code = "import pytest\nassert pytest.main(['-q', '-p', 'pytest_mlrepro.plugin', '-p', 'no:cacheprovider']) == 0"
    assert heavy_after(code, tmp_path) == []


def test_a_golden_of_plain_values_needs_numpy_and_no_optional_library(tmp_path: Path) -> None:
    (tmp_path / "test_m.py").write_text("def test_m(golden): golden.check({'a': 1.5})", "utf-8")
    code = (
        "import pytest\nassert pytest.main(['-q', '-p', 'pytest_mlrepro.plugin', '-p', 'no:cacheprovider', "
        "'--golden=record']) == 0"
    )
    assert heavy_after(code, tmp_path) == ["numpy", "blake3"]


def test_public_names_resolve_and_are_listed() -> None:
    import pytest_mlrepro

    for name in pytest_mlrepro.__all__:
        assert getattr(pytest_mlrepro, name).__name__.rpartition(".")[2] == name
    assert set(pytest_mlrepro.__all__) <= set(dir(pytest_mlrepro))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pytest_mlrepro.nothing
