"""What a `Tabular` allows: which cells, how many, how far, and what is refused because it would allow nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro import Tabular, UsageError
from pytest_mlrepro.robustness.attacks.base import Batch
from pytest_mlrepro.robustness.attacks.table import Cells, Chance, Steps
from pytest_mlrepro.robustness.digests import also_of
from pytest_mlrepro.robustness.generators import keys_of
from pytest_mlrepro.robustness.goal import Goal
from pytest_mlrepro.robustness.models import Meter
from pytest_mlrepro.robustness.robust import check_robust
from pytest_mlrepro.robustness.spaces import space_of
from pytest_mlrepro.robustness.tables import read_table

pandas = pytest.importorskip("pandas")


def frame(rows: int = 60, columns: int = 6):
    rng = np.random.default_rng(0)
    return pandas.DataFrame(rng.normal(size=(rows, columns)), columns=[f"n{at}" for at in range(columns)])


def total(rows) -> np.ndarray:
    values = rows.sum(axis=1).to_numpy()
    return np.stack([-values, values], axis=1)


def asked_for(inputs, threat: Tabular):
    """Return all rows that a model of one answer is asked for."""
    seen = []

    def model(rows):
        seen.append(rows)
        return np.zeros(len(rows), int)

    check_robust(model, inputs, np.zeros(len(inputs), int), threat, min_accuracy=0.5, complete=True)
    return pandas.concat(seen)


@pytest.mark.parametrize("most", [1, 3, None])
def test_at_most_so_many_cells_change_and_the_worst_are_found(most: int | None) -> None:
    table = frame(200)
    labels = total(table).argmax(1)
    report = check_robust(total, table, labels, Tabular(0.3, max_changed=most), min_accuracy=0.01, complete=True)
    values, sign = table.to_numpy(), np.where(labels == 1, 1, -1)[:, None]
    inside = np.where(sign > 0, values - values.min(0), values.max(0) - values)
    room = -np.sort(-np.minimum(0.3 * values.std(0), inside), axis=1)[:, :most].sum(1)
    truth = (np.abs(values.sum(1)) > room).mean()
    assert report.robust_accuracy == pytest.approx(truth, abs=1e-9)
    assert max(example.changed for example in report.counterexamples) <= (most or 6)
    assert report.stages[0].broke == len(report.counterexamples)  # each column acts for itself: one look is enough


def test_only_named_columns_change() -> None:
    table = frame()
    seen = asked_for(table, Tabular(0.5, columns=["n1", "n3"], immutable=["n3"]))
    for name in table.columns:
        assert (len({*seen[name]} - {*table[name]}) > 0) == (name == "n1")


def test_floats_that_are_whole_stay_whole_unless_told_otherwise() -> None:
    table = frame(40, 2).assign(count=np.arange(40.0) % 9, half=(np.arange(40) % 9) / 2)
    table.loc[3, "count"] = np.nan  # which is what makes counts floats
    seen = asked_for(table, Tabular(0.5))
    assert (seen["count"].dropna() % 1 == 0).all()
    assert len({*seen["half"]}) > 40
    assert (asked_for(table, Tabular(0.5, integer=()))["count"].dropna() % 1 != 0).any()
    named = asked_for(table, Tabular(0.9, integer=["half"]))["half"]
    assert ((named % 1 == 0) | named.isin(table["half"])).all()
    # a fraction in the reference says that the column has fractions
    seen = asked_for(table, Tabular(0.5, reference=table.assign(count=table["count"] + 0.5)))
    assert (seen["count"].dropna() % 1 != 0).any()


@dataclass(frozen=True)
class OneColumn:
    name: str
    min: Any = None
    max: Any = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class SomeContract:
    columns: list[OneColumn] = field(default_factory=list)


def test_a_contract_gives_ranges_and_categories() -> None:
    table = pandas.DataFrame({"v": [0.5, 0.6, 0.4] * 5, "w": [0.5, 0.6, 0.4] * 5, "c": list("ab") * 7 + ["a"]})
    contract = SomeContract(
        [OneColumn("v", 0, 1), OneColumn("w", None, 2), OneColumn("c", values=("a", "b", "z")), OneColumn("?")]
    )
    seen = asked_for(table, Tabular(50.0, categorical=1, bounds=contract))
    assert (seen["v"].min(), seen["v"].max()) == (0, 1)
    assert (seen["w"].min(), seen["w"].max()) == (0.4, 2)
    assert {*seen["c"]} == {"a", "b", "z"}
    other = SomeContract([*contract.columns[1:], OneColumn("v", 0, 2)])
    mine, its = also_of(Tabular(1.0, bounds=contract)), also_of(Tabular(1.0, bounds=other))
    assert mine["contract"] != its["contract"]
    assert mine["reference"] == "the inputs" != also_of(Tabular(1.0, reference=table))["reference"]


def test_categories_that_a_dtype_doesn_t_have_are_never_shown_to_the_model() -> None:
    table = pandas.DataFrame({"c": pandas.Categorical(["a", "b"] * 5), "n": np.arange(10.0)})
    wider = pandas.DataFrame({"c": pandas.Categorical(["a", "b", "z"] * 5), "n": np.arange(15.0)})
    assert {*asked_for(table, Tabular(1.0, categorical=1, reference=wider))["c"].astype(object)} == {"a", "b"}
    with pytest.raises(UsageError, match="column 'c' is category, which has no 'z'"):
        asked_for(table, Tabular(1.0, categorical=1, categories={"c": ["a", "z"]}))
    with pytest.raises(UsageError, match=r"column 'k' is int64, which has no 1\.5"):
        asked_for(table.assign(k=np.arange(10)), Tabular(1.0, categorical=1, categories={"k": [1, 1.5]}))


def test_one_of_many_categories_is_found() -> None:
    cities = [f"city {at:03}" for at in range(150)]
    table = frame(50, 1).assign(city=cities[:50])
    reference = frame(300, 1).assign(city=cities * 2)

    def model(rows):
        return (rows["city"] == "city 149").to_numpy().astype(int)

    report = check_robust(
        model, table, model(table), Tabular(0.1, categorical=1, reference=reference), min_accuracy=0.5
    )
    assert report.verdict == "failed"
    assert report.stages[0].broke == report.stages[0].tried  # not by chance: each category is looked at


def test_chance_keeps_to_the_number_of_cells_and_so_is_of_use() -> None:
    table = frame(100, 8)

    def model(rows):  # two columns at once, which no single cell says anything of
        return ((rows["n0"] != table["n0"][0]) & (rows["n1"] != table["n1"][0])).to_numpy().astype(int)

    numbers, form = read_table(table)
    space = space_of(Tabular(1.0, max_changed=2), numbers, form)
    batch = Batch(numbers[:1], Goal(np.zeros(1, np.int64)), keys_of(numbers[:1], np.zeros(1), 0))
    asked: list[Any] = []

    class Asked(Chaotic):
        def scores(self, x):
            asked.extend(model(form.restore(x)))
            return np.ones((len(x), 2))

    Chance(400)(Asked(), batch, space)
    assert len(asked) > 350
    assert sum(asked) > 3


def test_numbers_stay_in_their_dtype_whatever_the_bounds_say() -> None:
    table = pandas.DataFrame({"v": np.array([120, 122, 124, 126] * 10, np.int8)})
    seen = asked_for(table, Tabular(4.0, bounds={"v": (-500, 500)}))["v"]
    assert (seen.min(), seen.max()) == (112, 127)  # and none that came around from the other end


def test_identifiers_stay_what_they_are() -> None:
    table = frame(20, 2).assign(key=2**60 + np.arange(20))
    assert {*asked_for(table, Tabular(0.5))["key"]} == {*table["key"]}


def test_an_index_stays_with_its_row() -> None:
    table = frame(300, 1).set_axis(pandas.date_range("2024", periods=300, freq="h"), axis=0)

    def by_hour(rows):
        return (rows.index.hour < 12).astype(int)

    report = check_robust(by_hour, table, by_hour(table), Tabular(0.3), min_accuracy=0.9, complete=True, batch_size=64)
    assert (report.clean_accuracy, report.robust_accuracy) == (1, 1)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 100), noise=st.floats(0.05, 3), most=st.integers(1, 4), swaps=st.integers(0, 2), gone=st.integers(0, 2)
)  # fmt: skip
def test_whatever_is_asked_for_is_allowed(seed: int, noise: float, most: int, swaps: int, gone: int) -> None:
    rng = np.random.default_rng(seed)
    table = frame(12, 3).assign(k=rng.integers(0, 5, 12), c=rng.choice(list("abc"), 12), d=rng.choice(list("xy"), 12))
    table.loc[0, "n2"] = np.nan
    threat = Tabular(
        noise,
        max_changed=most,
        categorical=swaps,
        missing=gone,
        missing_in=["n1", "c"] if gone else None,
        immutable=["n0"],
    )
    numbers, form = read_table(table)
    space = space_of(threat, numbers, form)
    batch = Batch(numbers, Goal(np.zeros(12, np.int64)), keys_of(form.portable(numbers), np.zeros(12), seed))
    spread, tops, lows = (
        table.std(ddof=0, numeric_only=True),
        table.max(numeric_only=True),
        table.min(numeric_only=True),
    )

    def allowed(points) -> None:
        rows = form.restore(points)
        assert (rows.dtypes == table.dtypes).all()
        assert (rows["n0"] == table["n0"]).all()
        same = (rows == table) | (rows.isna() & table.isna())
        lost = rows.isna() & ~table.isna()
        assert (~same).sum(axis=1).max() <= most
        assert lost.sum(axis=1).max() <= gone
        assert not lost[["n0", "n2", "k", "d"]].any().any()
        assert (~same & ~lost)[["c", "d"]].sum(axis=1).max() <= swaps
        assert rows["c"].dropna().isin(table["c"]).all()
        for name in ("n1", "n2", "k"):
            moved = (rows[name] - table[name]).abs().dropna()
            assert (moved <= noise * spread[name] * (1 + 1e-6)).all()
            assert rows[name].dropna().between(lows[name] - 1e-9, tops[name] + 1e-9).all()

    for search in (Cells(), Steps(), Steps(between=2, starts=3), Chance(60)):
        allowed(search(Chaotic(), batch, space))


class Chaotic(Meter):
    """A model without rhyme or reason, so that searches go everywhere."""

    def __init__(self) -> None:
        """No model is behind it."""

    def scores(self, x):
        noise = np.random.default_rng(len(x)).normal(size=(len(x), 1))
        return np.concatenate([10 + noise, noise], axis=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Tabular(0.1, bounds=(0, 1)), r"Tabular\(bounds\): a mapping of columns"),
        (lambda: Tabular(0.1, bounds={"n0": 5}), "the least and the greatest of 'n0'"),
        (lambda: Tabular(0.1, bounds={"n0": ("a", "b")}), "the least and the greatest of 'n0'"),
        (lambda: Tabular(0.1, categories={"n0": "ab"}), "a list of the values of 'n0'"),
        (lambda: Tabular(0.1, categories={"n0": []}), "a list of the values of 'n0'"),
        (lambda: Tabular(0.1, categories=["n0"]), r"Tabular\(categories\): a mapping"),
        (lambda: Tabular(0.1, max_changed=0), "from 1 on"),
        (lambda: Tabular(0.1, max_changed=True), "from 1 on"),
        (lambda: Tabular(0.1, columns="n0"), "a list of columns"),
        (lambda: Tabular(0.1, columns=["height"]), r"Tabular\(columns\): the table has no column 'height'"),
        (lambda: Tabular(0.1, integer=["height"]), r"Tabular\(integer\): the table has no column 'height'"),
        (lambda: Tabular({"c": 0.1}), r"Tabular\(noise\): column 'c' holds no numbers to be moved"),
        (lambda: Tabular(0.1, bounds={"c": (0, 1)}), r"Tabular\(bounds\): column 'c' holds no numbers"),
        (lambda: Tabular(0.1, reference=5), r"Tabular\(reference\): a pandas or polars frame"),
        (lambda: Tabular(0.1, reference=frame()[:0]), r"Tabular\(reference\): the table has no rows"),
        (lambda: Tabular(0.1, columns=["k"]), r"'k', say, may move by 0\.05, which is less than a step of a whole number"),
        (lambda: Tabular(0.1, columns=["n0"], immutable=["n0"]), "lets nothing of this table change"),
        (lambda: Tabular(0.1, columns=["n0"], bounds={"n0": (99, 99)}), None),
    ],
)  # fmt: skip
def test_what_can_t_be_right_is_named(make, words: str | None) -> None:
    table = frame(10, 1).assign(c=list("ab") * 5, k=[0, 1] * 5)
    if words is None:  # rows outside of the bounds may come nearer
        asked_for(table, make())
        return
    with pytest.raises(UsageError, match=words):
        asked_for(table, make())


def test_a_threat_says_what_makes_it_again_and_a_report_where_spreads_are_from() -> None:
    table = frame(20, 2).assign(k=[0, 1] * 10)
    threat = Tabular(
        {"n0": 0.5, "k": 0.1},
        max_changed=1,
        columns=["n0", "k"],
        bounds={"n0": (None, 3)},
        integer=["n0"],
        reference=table,
    )
    assert eval(str(threat), {"Tabular": Tabular}) == Tabular(  # our own words
        {"n0": 0.5, "k": 0.1}, max_changed=1, columns=["n0", "k"], bounds={"n0": (None, 3)}, integer=["n0"]
    )
    words = str(check_robust(total, table, total(table).argmax(1), Tabular(0.3, reference=table), min_accuracy=0.01))
    assert "standard deviations, ranges and categories are those of the reference, 20 rows" in words
    assert "whole numbers that so little noise does not move: k" in words
    assert "those of the 20 inputs themselves" in str(
        check_robust(total, table, total(table).argmax(1), Tabular(0.3), min_accuracy=0.01)
    )


def test_a_torch_module_is_searched_and_no_gradients_are_asked_for() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    x = torch.randn(60, 4)
    labels = model(x).argmax(1)
    found = [
        check_robust(model, inputs, labels, Tabular(0.5), min_accuracy=0.01, complete=True)
        for inputs in (x, x.numpy(), pandas.DataFrame(x.numpy()))
    ]
    assert len({report.robust_accuracy for report in found}) == 1
    assert found[0].robust_accuracy < 0.8
    assert [report.gradients for report in found] == [0, 0, 0]
