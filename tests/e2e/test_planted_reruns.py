"""Each planted source of nondeterminism as a user's test: reruns find it on the rung that it belongs to, and its twin passes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS = {
    "plain": (),
    "estimators": ("sklearn", "threadpoolctl"),
    "tables": ("polars", "pyarrow"),
    "tensors": ("torch",),
}
WORDS = {
    None: "in a second run of the same code",
    "threads": "under another number of threads",
    "hashseed": "under another hash seed",
    "folders": "with the files of folders in another order",
    "malloc": "in memory that was filled with a pattern",
}
TESTS = """
import pytest
from tests.planted import planted

def cases(**defaults):
    for source in planted({module!r}):
        if source.runs[0] == source.runs[1]:
            rung = {{"vary": source.varied}} if source.varied else {{"reruns": 20 if source.sometimes else 2}}
            yield pytest.param(source, id=source.name, marks=pytest.mark.repro(**rung, **defaults))

@pytest.mark.parametrize("source", cases(entropy="allow", deterministic=False))
def test_broken(source, repro):
    source.before()
    repro.checkpoint("value", source.broken())

@pytest.mark.parametrize("source", cases(entropy="allow", deterministic=False))
def test_fixed(source, repro):
    source.before()
    repro.checkpoint("value", source.fixed())

@pytest.mark.parametrize("source", cases())
def test_mended(source, repro):
    if not source.mended:
        pytest.skip("the marker's defaults don't take it away")
    source.before()
    repro.checkpoint("value", source.broken())
"""


@dataclass(frozen=True)
class Ran:
    """What became of the tests."""

    failures: dict[str, str]
    """Messages of those that failed."""
    passed: frozenset[str]
    spread: str


@pytest.fixture(scope="module", params=NEEDS)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Ran]:
    missing = [name for name in NEEDS[request.param] if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (folder / "test_it.py").write_text(TESTS.format(module=request.param), "utf-8")
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "2", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "pytest_mlrepro.plugin", "--junitxml=out.xml", "-q"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", timeout=600)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    cases = list(ET.parse(folder / "out.xml").getroot().iter("testcase"))
    failures = {
        c.get("name", ""): f.get("message", "") + (f.text or "")
        for c in cases
        for f in [*c.iter("failure"), *c.iter("error")]
    }
    skipped = {c.get("name", "") for c in cases if c.find("skipped") is not None}
    return request.param, Ran(
        failures, frozenset({c.get("name", "") for c in cases} - failures.keys() - skipped), done.stdout
    )


def sources(module: str):
    from tests.planted import planted

    return [source for source in planted(module) if source.runs[0] == source.runs[1]]


@pytest.mark.slow
def test_each_source_is_found_on_its_rung(ran: tuple[str, Ran]) -> None:
    module, result = ran
    for source in sources(module):
        if source.mended == "global":
            continue  # seeded whatever the marker says
        name = f"test_broken[{source.name}]"
        if (
            source.varied == "threads" and name in result.passed
        ):  # within the tolerance of the dtype: told, and no failure
            assert re.search(rf"under another number of threads.*\n(?:  .*\n)*  .*{re.escape(name)}", result.spread), (
                name
            )
            continue
        assert name in result.failures, f"{name} was not found"
        assert WORDS[source.varied] in result.failures[name], result.failures[name]


@pytest.mark.slow
def test_each_fixed_twin_passes(ran: tuple[str, Ran]) -> None:
    module, result = ran
    for source in sources(module):
        name = f"test_fixed[{source.name}]"
        assert name in result.passed, result.failures.get(name)


@pytest.mark.slow
def test_what_the_marker_mends_passes_under_it(ran: tuple[str, Ran]) -> None:
    module, result = ran
    for source in sources(module):
        name = f"test_mended[{source.name}]"
        if source.mended:
            assert name in result.passed, result.failures.get(name)
