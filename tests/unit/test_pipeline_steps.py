"""One step at a time: what counts as an input, what comes out, and which earlier outputs the inputs are."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pytest_mlrepro.errors import FingerprintError, UsageError
from pytest_mlrepro.pipeline.facts import step_from_json, step_to_json
from tests.unit.step_book import ListBook, new_pipeline

DATA = np.arange(12.0).reshape(4, 3)
OFFSET = 1.0


def shifted(table: Any, by: float = 1.0) -> Any:
    return table + by


def both(*tables: Any, **more: Any) -> Any:
    return sum(tables) + sum(more.values())


def split(table: Any) -> Any:
    return table[:2], table[2:]


class Scaler:
    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.seen = 0

    def apply(self, table: Any) -> Any:
        return table * self.factor

    def fit(self, table: Any) -> None:
        self.seen += len(table)

    @classmethod
    def named(cls, factor: float) -> float:
        return factor

    def __call__(self, table: Any) -> Any:
        return self.apply(table)


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Record:
    left: Any
    right: Any


class One:
    def score(self) -> float:
        return 1.0

    def __mlrepro__(self) -> str:
        return "model"


class Two:
    def score(self) -> float:
        return 2.0

    def __mlrepro__(self) -> str:
        return "model"


# What is an input


def names(book: ListBook, step: str) -> list[str]:
    return [given.name for given in book[step].inputs]


def test_it_returns_what_the_function_returns() -> None:
    pipeline, _ = new_pipeline()
    result = pipeline.step("shift", shifted, DATA, by=2.0)
    assert np.array_equal(result, DATA + 2.0)
    table = [1, 2]
    assert pipeline.step("same", lambda: table) is table


def test_it_makes_no_difference_how_an_argument_is_given() -> None:
    pipeline, book = new_pipeline()
    pipeline.step("by position", shifted, DATA, 2.0)
    pipeline.step("by name", shifted, by=2.0, table=DATA)
    pipeline.step("by partial", functools.partial(shifted, by=2.0), DATA)
    pipeline.step("twice partial", functools.partial(functools.partial(shifted, DATA), by=2.0))
    found = [{given.name: given.digest for given in step.inputs} for step in book.steps]
    assert found[0].keys() == {"table", "by"}
    assert found.count(found[0]) == 4


def test_many_arguments_have_names_of_their_own() -> None:
    pipeline, book = new_pipeline()
    pipeline.step("all", both, DATA, DATA, c=DATA, b=DATA)
    assert names(book, "all") == ["tables[0]", "tables[1]", "b", "c"]


def test_parameters_called_name_and_fn_are_the_function_s() -> None:
    pipeline, book = new_pipeline()
    assert pipeline.step("all", lambda name, fn: name + fn, name=1, fn=2) == 3
    assert names(book, "all") == ["name", "fn"]


def test_what_a_lambda_captures_is_an_input_and_no_code() -> None:
    def run(table: Any) -> tuple[str, str | None]:
        pipeline, book = new_pipeline(wanted=True)
        pipeline.step("sum", lambda: float(table.sum()))
        assert names(book, "sum") == ["table"]
        return book["sum"].inputs[0].digest, book["sum"].code

    digests = [run(DATA + 1), run(DATA + 2)]
    assert digests[0][0] != digests[1][0]
    assert digests[0][1] == digests[1][1]


def test_defaults_of_a_lambda_are_inputs_and_those_of_a_function_are_code() -> None:
    pipeline, book = new_pipeline(wanted=True)
    codes = set()
    for k in (2.0, 3.0):
        pipeline.step(f"scale {k}", lambda table, k=k: table * k, DATA)
        assert names(book, f"scale {k}") == ["table", "k"]
        codes.add(book[f"scale {k}"].code)
    assert len(codes) == 1
    pipeline.step("plain", shifted, DATA)
    assert names(book, "plain") == ["table"]


def test_a_captured_thing_without_a_fingerprint_is_left_to_the_code() -> None:
    pipeline, book = new_pipeline(wanted=True)
    lock = threading.Lock()

    def guarded(table: Any) -> Any:
        with lock:
            return table + 1

    pipeline.step("guarded", guarded, DATA)
    assert names(book, "guarded") == ["table"]


def test_the_object_of_a_method_is_an_input() -> None:
    pipeline, book = new_pipeline()
    pipeline.step("two", Scaler(2.0).apply, DATA)
    pipeline.step("three", Scaler(3.0).apply, DATA)
    pipeline.step("called", Scaler(3.0), DATA)
    assert names(book, "two") == ["self", "table"] == names(book, "called")
    assert book["two"].inputs[0].digest != book["three"].inputs[0].digest == book["called"].inputs[0].digest


def test_functions_of_libraries_classes_and_class_methods_have_no_self() -> None:
    pipeline, book = new_pipeline(wanted=True)
    pipeline.step("mean", np.mean, DATA)
    pipeline.step("median", np.median, DATA)
    pipeline.step("sorted", sorted, [3, 1, 2])
    pipeline.step("upper", "text".upper)
    pipeline.step("exp", np.exp, DATA)
    pipeline.step("named", Scaler.named, 2.0)
    pipeline.step("dict", dict, a=1)
    assert "self" not in names(book, "mean") + names(book, "sorted") + names(book, "exp") + names(book, "named")
    assert names(book, "upper") == ["self"]
    codes = [book[name].code for name in ("mean", "median", "exp")]
    assert len(set(codes)) == 3  # which function is called is code, though none of it is of the project


def test_a_change_in_the_class_of_an_input_is_a_change_of_code() -> None:
    found = []
    for kind in (One, Two):
        pipeline, book = new_pipeline(wanted=True)
        pipeline.step("score", lambda model: model.score(), kind())
        found.append(book["score"].code)
    assert found[0] != found[1]


def test_a_path_is_the_file_that_it_names(tmp_path: Path) -> None:
    found = []
    for folder, text in (("a", "1"), ("b", "1"), ("c", "2")):
        path = tmp_path / folder / "x.txt"
        path.parent.mkdir()
        path.write_text(text)
        pipeline, book = new_pipeline()
        pipeline.step("read", lambda path: path.read_text(), path)
        pipeline.step("to", lambda path: None, tmp_path / folder / "none.txt")
        found.append((book["read"].inputs[0].digest, book["to"].inputs[0].digest))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0]


# What is refused


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: p.step("", len, []), "name must be a text that is not empty, got ''"),
        (lambda p: p.step("  ", len, []), "name must be a text"),
        (lambda p: p.step(3, len, []), "name must be a text that is not empty, got 3"),
        (lambda p: p.step("load", [1, 2]), "fn must be something to call, got a value of type list"),
        (lambda p: p.step("load", len, [], cache=1), "cache must be True or False, got 1"),
        (lambda p: p.step("load", len, [], check=0.1), "check must be True, False, a Tolerance, a mapping of globs"),
        (
            lambda p: p.step("load", len, [], check={"a": 1}),
            "check must be True, False, a Tolerance, a mapping of globs",
        ),
    ],
)
def test_a_mistake_is_named(call: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("(", "\\(")):
        call(new_pipeline()[0])


def test_a_name_comes_once() -> None:
    pipeline, _ = new_pipeline()
    pipeline.step("a", len, [])
    with pytest.raises(UsageError, match="'a'"):
        pipeline.step("a", len, [])


def numbers() -> Iterator[int]:
    yield from range(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: p.step("load", numbers), "pipeline step 'load', output: .*generator.*make a list of it"),
        (lambda p: p.step("load", lambda: [1, numbers()]), r"pipeline step 'load', output: output\[1\]"),
        (lambda p: p.step("use", list, numbers()), r"pipeline step 'use', input '\[0\]'|input 'iterable'"),
        (lambda p: p.step("use", shifted, {"a": object()}), r"pipeline step 'use', input 'table': table\['a'\]"),
    ],
)
def test_what_has_no_fingerprint_is_named_with_its_step(call: Any, words: str) -> None:
    with pytest.raises(FingerprintError, match=words):
        call(new_pipeline()[0])


def test_a_coroutine_function_is_refused_with_what_to_do() -> None:
    async def load() -> int:
        return 1

    pipeline, _ = new_pipeline()
    with pytest.raises(UsageError, match=r"pipeline step 'load'.*asyncio\.run"):
        pipeline.step("load", load)
    assert pipeline.step("run", lambda: asyncio.run(load())) == 1


# What comes out


def test_an_argument_that_was_changed_in_place_is_part_of_the_output() -> None:
    pipeline, book = new_pipeline()
    scaler, table = Scaler(2.0), DATA.copy()
    pipeline.step("fit", scaler.fit, table)
    assert book["fit"].effects == ("self",)
    assert book.values["fit"].keys() == {"return", "self"}
    pipeline.step("apply", scaler.apply, table)
    assert book.ties("apply") == {"self": ["fitself"]}

    def halve(table: Any) -> None:
        table /= 2

    pipeline.step("halve", halve, table)
    pipeline.step("sum", np.sum, table)
    assert book["halve"].effects == ("table",)
    assert book.ties("sum") == {"a": ["halvetable"]}


def test_what_is_changed_and_returned_is_the_output_alone() -> None:
    pipeline, book = new_pipeline()
    table = [3, 1]

    def sort(items: list[int]) -> list[int]:
        items.sort()
        return items

    pipeline.step("sort", sort, table)
    assert book["sort"].effects == ()
    assert book["sort"].kind == "list"


def test_a_step_that_raises_is_recorded_by_the_type_of_its_error_and_the_error_says_where() -> None:
    pipeline, book = new_pipeline()
    table = pipeline.step("load", lambda: DATA)

    def fail(table: Any) -> Any:
        raise ValueError(f"at {id(table)}")

    with pytest.raises(ValueError, match="at ") as caught:
        pipeline.step("train", fail, table)
    assert book["train"].raised == "ValueError"
    assert caught.value.__notes__ == ["raised in pipeline step 'train', whose inputs were: table from load"]


def test_a_skip_inside_a_step_is_no_result() -> None:
    pipeline, book = new_pipeline()
    with pytest.raises(pytest.skip.Exception):
        pipeline.step("skip", lambda: pytest.skip("no GPU"))
    assert book.steps == []


# Ties


def test_a_chain_a_fan_out_and_a_fan_in() -> None:
    pipeline, book = new_pipeline()
    raw = pipeline.step("load", lambda: DATA.copy())
    one = pipeline.step("one", shifted, raw, 1.5)
    two = pipeline.step("two", shifted, raw, 2.5)
    pipeline.step("join", both, one, two, one)
    assert book.ties("one") == {"table": ["load"]} == book.ties("two")
    assert book.ties("join") == {"tables[0]": ["one"], "tables[1]": ["two"], "tables[2]": ["one"]}
    assert book["join"].sources == ("one", "two")


@pytest.mark.parametrize("kind", [dict, list, tuple, Pair, Record])
def test_a_part_of_an_output_is_tied(kind: Any) -> None:
    pipeline, book = new_pipeline()
    left, right = DATA + 0.5, DATA + 0.25
    value: Any = {"left": left, "right": right} if kind is dict else None
    if kind in (list, tuple):
        value = kind([left, right])
    value = kind(left, right) if value is None else value
    given = pipeline.step("make", lambda: value)
    part = given["right"] if kind is dict else given[1] if kind is not Record else given.right
    pipeline.step("use", shifted, part)
    (place,) = book.ties("use")["table"]
    assert place == {"dict": "make['right']", "list": "make[1]", "tuple": "make[1]"}.get(kind.__name__, "make.right")


def test_a_part_of_an_input_is_tied() -> None:
    pipeline, book = new_pipeline()
    one, two = pipeline.step("one", shifted, DATA, 0.5), pipeline.step("split", split, DATA + 0.25)
    pipeline.step("use", lambda data: 1.25, {"a": one, "b": [two[1], 3]})
    assert book.ties("use") == {"data": ["one as ['a']", "split[1] as ['b'][0]"]}


def test_numbers_in_tuples_are_tied_and_small_ones_are_not() -> None:
    pipeline, book = new_pipeline()
    score, count, flag = pipeline.step("measure", lambda: (0.123456, 3, True))
    pipeline.step("use", lambda score, count, flag: None, score, count, flag)
    assert book.ties("use") == {"score": ["measure[0]"]}
    pipeline.step("literals", lambda data, half: None, [0.5, 0.25], 0.5)
    half = pipeline.step("half", lambda data: data / 2, 1.0)
    pipeline.step("chance", lambda data, half: None, [0.5, 0.25], 0.5)
    pipeline.step("the same", lambda data, half: None, [half, 0.25], half)
    third = pipeline.step("third", lambda data: data / 3, 1.0)
    pipeline.step("another object", lambda score: None, float(str(third)))
    assert book.ties("chance") == {}
    assert book.ties("the same") == {"data": ["half as [0]"], "half": ["half"]}
    assert book.ties("another object") == {"score": ["third"]}
    number = pipeline.step("count", lambda: 42)
    pipeline.step("again", lambda n: None, number)
    assert book.ties("again") == {"n": ["count"]}


@pytest.mark.parametrize("value", [None, True, [], {}, "", (), np.zeros(0)], ids=repr)
def test_a_value_that_says_nothing_is_tied_to_nobody(value: Any) -> None:
    pipeline, book = new_pipeline()
    pipeline.step("use", lambda x: 1, pipeline.step("make", lambda: value))
    assert book.ties("use") == {}


def test_of_equal_outputs_the_object_itself_counts_then_the_latest() -> None:
    pipeline, book = new_pipeline()
    first = pipeline.step("first", lambda: DATA.copy())
    second = pipeline.step("second", lambda: DATA.copy())
    pipeline.step("use first", shifted, first)
    pipeline.step("use second", shifted, second, 3.0)
    pipeline.step("use a copy", shifted, first.copy(), 4.0)
    assert book.ties("use first") == {"table": ["first"]}
    assert book.ties("use second") == {"table": ["second"]}
    assert book.ties("use a copy") == {"table": ["second"]}


@pytest.mark.parametrize("value", [DATA, [1.5, 2.5], {"a": 1.5}], ids=["array", "list", "dict"])
def test_an_output_that_was_changed_in_place_is_said_to_be(value: Any) -> None:
    pipeline, book = new_pipeline()
    made = pipeline.step("make", lambda: value.copy())
    if isinstance(made, dict):
        made["b"] = 2.5
    else:
        made[0] = 9.5
    pipeline.step("use", lambda x: 1, made)
    assert book.ties("use") == {"x": ["~make"]}


def test_a_table_that_was_made_outside_is_tied_to_nobody() -> None:
    pipeline, book = new_pipeline()
    raw = pipeline.step("load", lambda: DATA.copy())
    pipeline.step("use", shifted, raw * 2)
    assert book.ties("use") == {}


def test_random_generators_hand_on_their_state() -> None:
    pipeline, book = new_pipeline()
    rng = np.random.default_rng(0)
    pipeline.step("one", lambda rng: rng.normal(), rng)
    pipeline.step("two", lambda rng: rng.normal(), rng)
    assert book["one"].effects == ("rng",)
    assert book.ties("two") == {"rng": ["onerng"]}


# Steps inside steps


def test_a_step_inside_a_step_ends_before_it_and_knows_where_it_ran() -> None:
    pipeline, book = new_pipeline()

    def outer(table: Any) -> Any:
        return pipeline.step("inner", shifted, table, 2.0)

    raw = pipeline.step("load", lambda: DATA.copy())
    result = pipeline.step("outer", outer, raw)
    pipeline.step("after", np.sum, result)
    assert [step.name for step in book.steps] == ["load", "inner", "outer", "after"]
    assert [step.inside for step in book.steps] == [None, "outer", None, None]
    assert book.ties("inner") == {"table": ["load"]} == book.ties("outer")
    assert book.ties("after") == {"a": ["outer"]}
    assert names(book, "outer") == ["table"]  # the pipeline that it captures is no input


def test_steps_in_threads_do_not_stand_inside_each_other() -> None:
    pipeline, book = new_pipeline()
    threads = [threading.Thread(target=pipeline.step, args=(f"t{n}", shifted, DATA, n + 0.5)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(step.name for step in book.steps) == [f"t{n}" for n in range(8)]
    assert {step.inside for step in book.steps} == {None}


def test_facts_of_a_step_survive_json() -> None:
    pipeline, book = new_pipeline(wanted=True)
    raw = pipeline.step("load", lambda: {"X": DATA.copy()})
    raw["X"][0, 0] = 7
    pipeline.step("fit", Scaler(2.0).fit, [raw["X"]])
    with pytest.raises(ZeroDivisionError):
        pipeline.step("fail", lambda: 1 / 0)
    for step in book.steps:
        assert step_from_json(step_to_json(step)) == step
