"""Arrays that lie in a store go into an RO-Crate with their golden, fetched if need be."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from pytest_mlrepro.cli import main
from tests.plugin.project import Project

pytest.importorskip("rocrate")


def test_an_ro_crate_holds_arrays_that_lie_in_a_store(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    project.write("import numpy as np\ndef test_it(golden):\n    golden.check(np.arange(1000.0), 'a')")
    ini = next(path for path in project.root.iterdir() if path.suffix == ".ini")
    ini.write_text(f"{ini.read_text('utf-8')}\nmlrepro_store = stored\nmlrepro_store_limit = 1 KiB\n", "utf-8")
    project.record()
    (array,) = (project.root / "stored").glob("*/*.npy")
    assert not list(project.root.glob("__golden__/**/*.npy"))
    out = project.root.parent / "crate"
    found = CliRunner().invoke(main, ["--root", str(project.root), "export", "ro-crate", "-o", str(out)])
    assert found.exit_code == 0, found.output
    (copy,) = out.glob("records/**/*.npy")
    assert copy.read_bytes() == array.read_bytes()
    subprocess.run([sys.executable, "-I", "-S", str(out / "verify.py"), "--deep"], check=True, capture_output=True)
    copy.write_bytes(copy.read_bytes()[:-1] + b"x")
    done = subprocess.run([sys.executable, "-I", "-S", str(out / "verify.py")], check=False, capture_output=True)
    assert done.returncode == 1
