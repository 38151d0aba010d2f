"""Stored outputs: they come back the same to the last bit, or the step runs; nothing else of the run notices."""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import os
import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from blake3 import blake3

from pytest_mlrepro import seed_everything
from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.pipeline.cache import StepCache
from pytest_mlrepro.pipeline.entries import Entries, Stored
from pytest_mlrepro.pipeline.recorder import Pipeline
from pytest_mlrepro.tracking import FileTracker
from tests.unit.step_book import ListBook, new_pipeline

RNG = np.random.default_rng(3)


class Cached:
    """Pipelines that share a cache, with what became of each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[tuple[str, str]] = []

    def pipeline(self, **settings: Any) -> tuple[Pipeline, ListBook]:
        settings.setdefault("read", True)
        around = {name: settings.pop(name) for name in ("tracking", "file") if name in settings}
        cache = StepCache(self.folder, notify=lambda *event: self.events.append(event), **settings)
        return new_pipeline(cache=cache, **around)

    def run(self, fn: Callable[..., Any], *args: Any, name: str = "step", **settings: Any) -> Any:
        return self.pipeline(**settings)[0].step(name, fn, *args, cache=True)

    def became(self) -> list[str]:
        return [event for _, event in self.events]


@pytest.fixture
def cached(tmp_path: Path) -> Cached:
    return Cached(tmp_path / "steps")


def double(table: Any) -> Any:
    return table * 2


# Reuse


def test_a_stored_output_is_used_and_the_function_does_not_run(cached: Cached) -> None:
    ran = io.StringIO()  # captured, and of no kind that has a fingerprint

    def note(table: Any) -> Any:
        ran.write("x")
        return table * 2

    first, second = cached.run(note, np.arange(3.0)), cached.run(note, np.arange(3.0))
    assert ran.getvalue() == "x"
    assert np.array_equal(first, second)
    assert first is not second
    assert cached.became() == ["stored", "reused"]


def test_it_is_off_unless_asked_for(cached: Cached) -> None:
    for _ in range(2):
        cached.pipeline()[0].step("step", double, np.arange(3.0))
    assert cached.became() == []


@pytest.mark.parametrize(
    "other",
    [
        lambda cached: cached.run(double, np.arange(4.0)),
        lambda cached: cached.run(double, np.arange(3.0), name="other"),
        lambda cached: cached.run(double, np.arange(3.0), seed=1),
        lambda cached: cached.run(lambda table: table * 2, np.arange(3.0)),
        lambda cached: cached.run(double, np.arange(3)),
    ],
    ids=["input", "name", "seed", "code", "dtype"],
)
def test_another_input_name_seed_or_code_is_another_entry(cached: Cached, other: Any) -> None:
    cached.run(double, np.arange(3.0))
    other(cached)
    assert cached.became() == ["stored", "stored"]


def test_another_environment_is_another_entry(cached: Cached, monkeypatch: pytest.MonkeyPatch) -> None:
    cached.run(double, np.arange(3.0))
    monkeypatch.setenv("OMP_NUM_THREADS", "1" if os.environ.get("OMP_NUM_THREADS") != "1" else "2")
    cached.run(double, np.arange(3.0))
    assert cached.became() == ["stored", "stored"]


def test_the_code_that_a_function_reaches_counts(cached: Cached, tmp_path: Path) -> None:
    def loaded(text: str, name: str) -> Any:
        path = tmp_path / name / "helpers.py"
        path.parent.mkdir()
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(f"helpers_{name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    text = "FACTOR = 2\ndef inner(x):\n    return x * FACTOR\ndef outer(x):\n    return inner(x)\n"
    cached.run(loaded(text, "a").outer, 1.5)
    assert cached.run(loaded(text.replace("FACTOR = 2", "FACTOR = 3"), "b").outer, 1.5) == 4.5
    assert cached.became() == ["stored", "stored"]


def test_a_file_that_the_step_read_counts(cached: Cached, tmp_path: Path) -> None:
    path = tmp_path / "data" / "x.txt"
    path.parent.mkdir()
    path.write_text("1.5")
    text = str(path)
    with FileTracker([path.parent]) as tracker:
        around = {"tracking": tracker.tracking}
        assert cached.run(lambda text: float(Path(text).read_text()), text, **around) == 1.5
        assert cached.run(lambda text: float(Path(text).read_text()), text, **around) == 1.5
        path.write_text("2.5")
        assert cached.run(lambda text: float(Path(text).read_text()), text, **around) == 2.5
    path.unlink()
    assert cached.became() == ["stored", "reused", "stored"]


def test_while_goldens_are_recorded_nothing_is_read(cached: Cached) -> None:
    cached.run(double, 1.5)
    cached.run(double, 1.5, read=False, write=False)
    cached.run(double, 1.5, read=False)
    assert cached.became() == ["stored", "stored"]


# What comes back


def tables() -> list[Any]:
    values: list[Any] = []
    pd = pytest.importorskip("pandas")
    index = pd.date_range("2026-01-01", periods=3, freq="D", name="day")
    frame = pd.DataFrame(
        {
            "f": [1.5, np.nan, -0.0],
            "i": np.array([1, 2, 3], "int8"),
            "s": ["a", None, "ü"],
            "c": pd.Categorical(["b", "a", None], categories=["b", "a", "z"], ordered=True),
            "t": index,
            "z": index.tz_localize("Europe/Berlin"),
            "n": pd.array([1, None, 3], dtype="Int32"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "p": pd.period_range("2026-01", periods=3, freq="M"),
            7: [1 + 2j, 0, 3],
        }
    )
    frame["o"] = np.array(["x", 3, None], dtype=object)
    values += [frame, frame["f"], frame.set_index("t"), frame[["i", "f"]], frame.iloc[:0], pd.DataFrame(), index]
    values += [frame.set_index(["i", "s"]), frame.rename_axis(columns="col"), frame["c"].cat.categories]
    double_names = frame[["f", "i"]].copy()
    double_names.columns = ["x", "x"]
    return [*values, double_names]


def values_of_python() -> list[Any]:
    return [
        *(
            None,
            True,
            3,
            -(2**70),
            0.1,
            float("nan"),
            float("inf"),
            -0.0,
            1 - 2j,
            "tëxt\n\udcff",
            b"\0\xff",
            range(3, 9, 2),
        ),
        *([], (), {}, set(), [1, "a", None], (1.5, [2, (3,)]), {"b": 1, "a": [2]}, {3: "x", None: "y"}),
        *(OrderedDict(z=1, a=2), {1, 5, 2}, frozenset({"a", "b"}), deque([1, 2], maxlen=5)),
        *(list(range(1000)), [0.5] * 100, tuple(float(n) for n in range(70)), [True] * 70, [2**80] * 70, ["a"] * 70),
        *(dt.date(2026, 1, 2), dt.timedelta(days=-1, microseconds=3), Decimal("1.10"), Fraction(2, 7), UUID(int=7)),
    ]


def arrays() -> list[Any]:
    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    return [
        *(
            RNG.normal(size=(3, 4)),
            np.arange(6).reshape(2, 3).T,
            np.zeros((0, 3)),
            np.array(3.5),
            np.array([np.nan, -0.0]),
        ),
        *(np.array(["a", "ü"]), np.array([b"x"]), np.array(["2026-01-01"], "M8[D]"), np.array([1], "m8[s]"), fixed),
        *(np.arange(3, dtype=">i4"), np.float32(1.5), np.int64(3), np.bool_(True), np.datetime64("2026-01-01", "us")),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        {"X": RNG.normal(size=(2, 2)), "y": [np.arange(2), (np.arange(3), "s")]},
    ]


def come_back(cached: Cached, values: list[Any]) -> None:
    for at, value in enumerate(values):
        step = f"step {at}"
        cached.run(lambda at: values[at], at, name=step)
        again = cached.run(lambda at: values[at], at, name=step)
        assert fingerprint(again).digest == fingerprint(value).digest, value
        assert type(again) is type(value)
        assert cached.became()[-2:] == ["stored", "reused"], value


def test_values_of_python_come_back(cached: Cached) -> None:
    come_back(cached, values_of_python())


def test_arrays_come_back(cached: Cached) -> None:
    come_back(cached, arrays())
    fixed = cached.run(lambda at: arrays()[at], 9, name="fixed")
    again = cached.run(lambda at: arrays()[at], 9, name="fixed")
    assert not fixed.flags.writeable
    assert not again.flags.writeable


def test_dicts_keep_their_order(cached: Cached) -> None:
    for _ in range(2):
        assert list(cached.run(lambda: {"b": 1, "a": {"z": 1, "y": 2}})) == ["b", "a"]


def test_tables_of_pandas_come_back(cached: Cached) -> None:
    pd = pytest.importorskip("pandas")
    come_back(cached, tables())
    found = [cached.run(lambda: pd.date_range("2026", periods=3, freq="h"), name="index") for _ in range(2)]
    assert found[0].freq == found[1].freq is not None
    frames = [cached.run(lambda: tables()[0], name="frame") for _ in range(2)]
    pd.testing.assert_frame_equal(*frames)


def test_tables_of_polars_come_back(cached: Cached) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"a": [1, None], "b": ["x", "y"], "c": [[1.5], []], "d": [dt.date(2026, 1, 1), None], "e": [True, False]}
    ).with_columns(pl.col("b").cast(pl.Categorical).alias("k"))
    come_back(cached, [frame, frame["a"], frame["k"], frame.clear(), {"train": frame}])


def test_tables_of_arrow_come_back(cached: Cached) -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(
        {"a": [1, None], "b": ["x", "y"], "c": [{"d": 1.5}, None], "e": pa.array(["q", "q"]).dictionary_encode()}
    )
    come_back(
        cached, [table, table.slice(1), table.column("a"), table.to_batches()[0], table.slice(0, 0).combine_chunks()]
    )
    pd = pytest.importorskip("pandas")
    come_back(cached, [pd.DataFrame({"x": pd.array([1, None], dtype=pd.ArrowDtype(pa.int64()))})])


def test_tensors_and_state_dicts_come_back(cached: Cached) -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    state = layer.state_dict()
    values = [
        *(
            torch.arange(6.0).reshape(2, 3).T,
            torch.tensor(3),
            torch.tensor([True]),
            torch.zeros(0, 2),
            torch.tensor([1 + 2j]),
        ),
        *(
            torch.tensor([1.5], dtype=torch.bfloat16),
            torch.tensor([1.5]).to(torch.float8_e4m3fn),
            torch.tensor([1.5]).half(),
        ),
        *(torch.ones(2, requires_grad=True), torch.nn.Parameter(torch.ones(2)), state, {"model": state, "epoch": 3}),
    ]
    come_back(cached, values)
    again = cached.run(lambda: layer.state_dict(), name="state")
    again = cached.run(lambda: layer.state_dict(), name="state")
    assert again._metadata == state._metadata
    assert list(again) == list(state)
    layer.load_state_dict(again)
    wanted = [cached.run(lambda: torch.ones(2, requires_grad=True), name="grad").requires_grad for _ in range(2)]
    assert wanted == [True, True]


class Model:
    def __mlrepro__(self) -> object:
        return [1.5]


def with_sklearn() -> object:
    linear = pytest.importorskip("sklearn.linear_model")
    return linear.LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (Model, "tests.unit.test_pipeline_cache.Model"),
        (lambda: {"a": [Model()]}, r"\['a'\]\[0\] is of type .*Model"),
        (with_sklearn, "sklearn.linear_model._base.LinearRegression"),
        (lambda: np.array(["a", 1], dtype=object), "numpy.ndarray.*dtype object"),
        (lambda: np.ma.masked_array([1, 2], [0, 1]), "MaskedArray"),
        (lambda: Path("nowhere"), "PosixPath|WindowsPath"),
        (lambda: np.random.default_rng(0), "Generator"),
    ],
)
def test_what_can_t_come_back_is_refused_by_its_type(cached: Cached, make: Any, name: str) -> None:
    with pytest.raises(UsageError, match=rf"pipeline.step\('step', cache=True\): its output.*{name}.*without pickle"):
        cached.run(make)
    assert not any(place.is_dir() for place in cached.folder.glob("*"))


def test_a_step_that_changes_its_argument_is_refused(cached: Cached) -> None:
    def sort(items: list[int]) -> int:
        items.sort()
        return 1

    with pytest.raises(UsageError, match="changed its argument 'items' in place"):
        cached.run(sort, [3, 1])


def test_a_step_that_writes_a_file_is_refused(cached: Cached, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    place = str(folder)
    with FileTracker([folder]) as tracker, pytest.raises(UsageError, match=r"it wrote x\.txt"):
        cached.run(lambda place: Path(place, "x.txt").write_text("1"), place, tracking=tracker.tracking)


def test_a_step_inside_a_cached_one_is_refused(cached: Cached) -> None:
    pipeline, _ = cached.pipeline()
    with pytest.raises(UsageError, match="cache the inner step instead"):
        pipeline.step("outer", lambda: pipeline.step("inner", lambda: 1.5), cache=True)


def test_a_step_that_raises_is_not_stored(cached: Cached) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cached.run(lambda: 1 / 0)
    assert cached.became() == []


# Random streams


def draws() -> list[float]:
    return [random.random(), float(np.random.rand()), float(np.random.default_rng().random())]


def test_later_draws_do_not_depend_on_whether_a_cached_step_ran(cached: Cached) -> None:
    found = []
    for _ in range(2):
        with seed_everything(5):
            pipeline, _ = cached.pipeline(seed=5)
            value = pipeline.step("draw", draws, cache=True)
            found.append((value, pipeline.step("later", draws)))
    with seed_everything(5):
        plain = draws()
    assert cached.became() == ["stored", "reused"]
    assert found[0] == found[1]
    assert found[0][1][:2] == plain[:2]
    assert found[0][0] != plain


def test_a_cached_step_is_seeded_by_the_test_and_its_name(cached: Cached, tmp_path: Path) -> None:
    first = cached.run(draws, name="a", seed=1)
    assert cached.run(draws, name="b", seed=1) != first != cached.run(draws, name="a", seed=2)
    assert Cached(tmp_path / "elsewhere").run(draws, name="a", seed=1) == first


def test_random_state_outside_is_as_it_was(cached: Cached) -> None:
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    cached.run(draws)
    cached.run(draws)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


# Damage


def entry(cached: Cached) -> Path:
    (place,) = [path for path in cached.folder.iterdir() if path.is_dir()]
    return place


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [
        lambda place: flip(place / "0"),
        lambda place: (place / "0").unlink(),
        lambda place: (place / "0").write_bytes(b""),
        lambda place: flip(place / "entry.json"),
        lambda place: (place / "entry.json").write_text("[]"),
        lambda place: (place / "entry.json").write_bytes(b"\xff\xfe"),
        lambda place: (place / "entry.json").write_text(""),
    ],
    ids=["bit", "gone", "empty", "facts", "no facts", "no text", "nothing"],
)
def test_a_damaged_entry_is_a_miss_with_a_word_and_is_mended(cached: Cached, harm: Any) -> None:
    cached.run(double, np.arange(3.0))
    harm(entry(cached))
    assert np.array_equal(cached.run(double, np.arange(3.0)), [0, 2, 4])
    assert np.array_equal(cached.run(double, np.arange(3.0)), [0, 2, 4])
    assert cached.became() == ["stored", "damaged", "stored", "reused"]


def test_an_entry_with_another_value_under_a_right_seal_is_a_miss(cached: Cached, tmp_path: Path) -> None:
    cached.run(double, np.arange(3.0))
    place = entry(cached)
    other = Entries(tmp_path / "other")
    other.save("key", "step", Stored(np.arange(3.0), fingerprint(np.arange(3.0)).digest))
    forged = (tmp_path / "other" / "key" / "entry.json").read_text()
    body = forged.partition("\n")[2].replace(fingerprint(np.arange(3.0)).digest, fingerprint(np.arange(4.0)).digest)
    (place / "entry.json").write_text(f"{blake3(body.encode()).hexdigest()}\n{body}")
    (place / "0").write_bytes((tmp_path / "other" / "key" / "0").read_bytes())
    assert np.array_equal(cached.run(double, np.arange(3.0)), [0, 2, 4])
    assert cached.became() == ["stored", "damaged", "stored"]


def test_no_pickle_is_ever_loaded(cached: Cached, tmp_path: Path) -> None:
    cached.run(double, np.arange(3.0))
    with (entry(cached) / "0").open("wb") as file:
        np.save(file, np.array([Model()], dtype=object), allow_pickle=True)
    cached.run(double, np.arange(3.0))
    assert cached.became()[1] == "damaged"


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    entries = Entries(tmp_path, limit=3 * 9000)
    for at in range(3):
        entries.save(f"k{at}", "s", Stored(np.full(1000, at), fingerprint(np.full(1000, at)).digest))
        os.utime(tmp_path / f"k{at}" / "entry.json", (at + 1, at + 1))
    assert entries.load("k0") is not None  # used just now
    entries.save("k3", "s", Stored(np.full(1000, 3), fingerprint(np.full(1000, 3)).digest))
    left = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert "k0" in left
    assert "k3" in left
    assert "k1" not in left


def test_a_folder_that_can_t_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cached = Cached(tmp_path / "file")
    assert cached.run(double, 1.5) == 3.0 == cached.run(double, 1.5)
