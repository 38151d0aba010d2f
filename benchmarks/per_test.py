"""What a test pays: with a plugin that it doesn't use, seeded, and with one check of a small array.

Each project is run with all its tests and with one, as whole processes; the difference divided by the tests between is
what a test takes, free of the start. Bare pytest is subtracted in the same way.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from measuring import Sample, interleaved, pytest_process
from plugins import PEERS, PLUGINS
from showing import Row, Target, show

HEAD = "import numpy as np\nimport pytest\n"
TORCH = HEAD + "import torch\n"
VALUE = "np.arange(10.0) * 1.1 + {n}"
HAND = """
from pathlib import Path
HERE = Path(__file__).parent / "stored"

def hand(name, value):
    path = HERE / f"{name}.npy"
    if not path.exists():
        HERE.mkdir(exist_ok=True)
        np.save(path, value)
    np.testing.assert_allclose(value, np.load(path))
"""


@dataclass(frozen=True, slots=True)
class Project:
    """Tests of one kind: the module's head, the test's arguments and its body; how to record what they check."""

    plugins: str
    head: str = HEAD
    arguments: str = ""
    body: str = f"value = {VALUE}"
    record: tuple[str, ...] = ()
    refuses: bool = False
    """Whether the recording run fails by design."""

    def write(self, folder: Path, tests: int) -> Path:
        """Write the project, record it, and return its folder."""
        folder.mkdir()
        body = (f"def test_{n}({self.arguments}):\n    {self.body.format(n=n)}\n" for n in range(tests))
        (folder / "test_it.py").write_text("\n".join([self.head, *body]))
        if self.record:
            pytest_process(folder, *self.record, plugins=PLUGINS[self.plugins], failing=self.refuses)
        return folder


CHECKED = {
    "mlrepro": Project(
        "mlrepro", arguments="golden", body=f"value = {VALUE}; golden.check(value)", record=("--golden=record",)
    ),
    "by hand": Project("bare", head=HEAD + HAND, body=f"value = {VALUE}; hand('test_{{n}}', value)", record=("-q",)),
    "syrupy": Project(
        "syrupy",
        arguments="snapshot",
        body=f"value = {VALUE}; assert value.tolist() == snapshot",
        record=("--snapshot-update",),
    ),
    "regressions": Project(
        "regressions",
        arguments="ndarrays_regression",
        body=f"value = {VALUE}; ndarrays_regression.check(dict(value=value))",
        record=("-q",),
        refuses=True,
    ),
}
MARK = "pytestmark = pytest.mark.repro\n"
SEEDED = {
    "plain": Project("mlrepro", head=TORCH),
    "marked": Project("mlrepro", head=TORCH + MARK),
    "bare": Project("bare", head=TORCH),
    "randomly": Project("randomly", head=TORCH),
}


def measure(*, quick: bool) -> list[Row]:
    """Print and return what each kind of test costs."""
    tests, rounds = (100, 1) if quick else (2000, 5)
    note = f"{tests} tests in one file, whole processes, medians of {rounds} interleaved rounds."
    unused = _costs({name: Project(name) for name in PLUGINS}, tests, rounds)
    rows = show("A test beside an unused plugin", _unused(unused), note)
    rows += show("A seeded test", _seeded(_costs(SEEDED, tests, rounds)), note)
    checked = _costs({"plain": Project("mlrepro"), "bare": Project("bare"), **CHECKED}, tests, rounds)
    return rows + show("A test that checks ten floats", _checked(checked), f"{note} Peers are above bare pytest.")


def _unused(cost: dict[str, Sample]) -> Iterable[Row]:
    bare, ours = cost["bare"], cost["mlrepro"] - cost["bare"]
    yield Row("plugin unused, above bare pytest", ours, "bare pytest, a test", bare, target=Target(10, by="cpu"))
    for name in PEERS:
        yield Row("the same", ours, f"{name} unused", cost[name] - bare)


def _seeded(cost: dict[str, Sample]) -> Iterable[Row]:
    ours = cost["marked"] - cost["plain"]
    theirs = cost["randomly"] - cost["bare"]
    yield Row("seeded, above unseeded", ours, "randomly", theirs, target=Target(60, by="cpu"))


def _checked(cost: dict[str, Sample]) -> Iterable[Row]:
    ours = cost["mlrepro"] - cost["plain"]
    target: Target | None = Target(150, by="cpu")
    for name, against in (
        ("by hand", "np.load + assert_allclose"),
        ("syrupy", "syrupy"),
        ("regressions", "ndarrays_regression"),
    ):
        yield Row("checked, above unchecked", ours, against, cost[name] - cost["bare"], target=target)
        target = None


def _costs(projects: dict[str, Project], tests: int, rounds: int) -> dict[str, Sample]:
    """Return what one test of each project takes, its start left out."""
    with tempfile.TemporaryDirectory() as place:
        runs = {
            (name, count): partial(
                pytest_process,
                project.write(Path(place) / f"{name.replace(' ', '_')}_{count}", count),
                plugins=PLUGINS[project.plugins],
            )
            for name, project in projects.items()
            for count in (1, tests)
        }
        found = interleaved({f"{name}/{count}": run for (name, count), run in runs.items()}, rounds)
    return {name: (found[f"{name}/{tests}"] - found[f"{name}/1"]) / (tests - 1) for name in projects}
