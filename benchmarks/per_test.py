"""What a test pays: with a plugin that it doesn't use, seeded, and with one check of a small array.

Tests of two kinds take turns in one file, and each test of a kind is held against its neighbour of the other: what disturbs
the machine disturbs both. Only for a plugin that is merely installed do processes have to be compared; those are interleaved.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from measuring import Sample, median, pytest_process
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
    """Tests of one kind in turn with plain ones: the module's head, the test's decorator, arguments and body."""

    plugins: str
    head: str = HEAD
    decorator: str = ""
    arguments: str = ""
    body: str = f"value = {VALUE}"
    record: tuple[str, ...] = ()
    """How to record what the tests check."""
    refuses: bool = False
    """Whether the recording run fails by design."""

    def write(self, folder: Path, tests: int) -> Path:
        """Write the project, record it, and return its folder."""
        folder.mkdir()
        plain = "def test_plain_{n}():\n    value = " + VALUE + "\n"
        kind = f"{self.decorator}\ndef test_kind_{{n}}({self.arguments}):\n    {self.body}\n"
        bodies = (text.format(n=n) for n in range(tests) for text in (plain, kind))
        (folder / "test_it.py").write_text("\n".join([self.head, *bodies]))
        if self.record:
            pytest_process(folder, *self.record, plugins=PLUGINS[self.plugins], failing=self.refuses)
        return folder


CHECKED = {
    "mlrepro": Project(
        "mlrepro", arguments="golden", body=f"value = {VALUE}; golden.check(value)", record=("--golden=record",)
    ),
    "np.load + assert_allclose": Project(
        "bare", head=HEAD + HAND, body=f"value = {VALUE}; hand('test_{{n}}', value)", record=("-q",)
    ),
    "syrupy": Project(
        "syrupy",
        arguments="snapshot",
        body=f"value = {VALUE}; assert value.tolist() == snapshot",
        record=("--snapshot-update",),
    ),
    "ndarrays_regression": Project(
        "regressions",
        arguments="ndarrays_regression",
        body=f"value = {VALUE}; ndarrays_regression.check(dict(value=value))",
        record=("-q",),
        refuses=True,
    ),
}
SEEDED = {
    "seeded": Project("mlrepro", head=TORCH, decorator="@pytest.mark.repro"),
    "a fixture that does nothing": Project(
        "bare", head=TORCH + "@pytest.fixture\ndef nothing(): pass\n", arguments="nothing"
    ),
}


def measure(*, quick: bool) -> list[Row]:
    """Print and return what each kind of test costs."""
    tests, rounds = (50, 1) if quick else (1000, 5)
    note = (
        f"{tests} pairs of neighbouring tests in one file, {rounds} processes each, interleaved: the median difference."
    )
    unused = _processes({name: Project(name) for name in PLUGINS}, tests, rounds)
    rows = show(
        "A test beside an unused plugin",
        _unused(unused),
        f"Medians over {rounds} interleaved processes of {2 * tests} tests.",
    )
    rows += show("A seeded test", _seeded(_pairs(SEEDED, tests, rounds)), note)
    return rows + show("A test that checks ten floats", _checked(_pairs(CHECKED, tests, rounds)), note)


def _unused(runs: Mapping[str, list[Sample]]) -> Iterable[Row]:
    bare, ours = median(runs["bare"]), _above(runs, "mlrepro")
    yield Row("plugin unused, above bare pytest", ours, "bare pytest, a test", bare, target=Target(10, by="cpu"))
    for name in PEERS:
        yield Row("the same", ours, f"{name} unused", _above(runs, name))


def _above(runs: Mapping[str, list[Sample]], name: str) -> Sample:
    return median([with_it - bare for with_it, bare in zip(runs[name], runs["bare"], strict=True)])


def _seeded(cost: Mapping[str, Sample]) -> Iterable[Row]:
    (_, ours), (against, peer) = cost.items()
    yield Row("seeded, above unseeded", ours, against, peer, target=Target(60, by="cpu"))


def _checked(cost: Mapping[str, Sample]) -> Iterable[Row]:
    target: Target | None = Target(150, by="cpu")
    for against in list(cost)[1:]:
        yield Row("checked, above unchecked", cost["mlrepro"], against, cost[against], target=target)
        target = None


def _pairs(projects: Mapping[str, Project], tests: int, rounds: int) -> dict[str, Sample]:
    """Return what a test of each project costs above its plain neighbour."""
    found = _times(projects, tests, rounds)
    return {
        name: median([kind - plain for run in runs for plain, kind in zip(run["plain"], run["kind"], strict=True)])
        for name, runs in found.items()
    }


def _processes(projects: Mapping[str, Project], tests: int, rounds: int) -> dict[str, list[Sample]]:
    """Return what a test of each project takes in each of its processes."""
    found = _times(projects, tests, rounds)
    return {name: [median([*run["plain"], *run["kind"]]) for run in runs] for name, runs in found.items()}


def _times(projects: Mapping[str, Project], tests: int, rounds: int) -> dict[str, list[dict[str, list[Sample]]]]:
    """Return the times of all tests, by project, process and kind; a first round is not counted."""
    found: dict[str, list[dict[str, list[Sample]]]] = {name: [] for name in projects}
    with tempfile.TemporaryDirectory() as place:
        folders = {
            name: project.write(Path(place) / str(number), tests)
            for number, (name, project) in enumerate(projects.items())
        }
        for turn in range(rounds + 1):
            for name in list(projects)[:: 1 if turn % 2 else -1]:
                times = _clocked(folders[name], PLUGINS[projects[name].plugins])
                if turn:
                    found[name].append(times)
    return found


def _clocked(folder: Path, plugins: tuple[str, ...]) -> dict[str, list[Sample]]:
    pytest_process(folder, "--clock", "times.json", plugins=("clock", *plugins))
    times = json.loads((folder / "times.json").read_text("utf-8"))
    return {kind: [Sample(wall, cpu) for wall, cpu in pairs] for kind, pairs in times.items()}
