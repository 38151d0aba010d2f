"""Who is suspected: each planted change is found, alone and by its path, and what can't matter never is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_mlrepro.fingerprints.digest import Fingerprint
from pytest_mlrepro.fingerprints.environment import environment_of
from pytest_mlrepro.fingerprints.environment.facts import Fact
from pytest_mlrepro.provenance.record import AREAS, Provenance
from pytest_mlrepro.provenance.suspects import suspects
from tests.unit.provenance_cases import (
    SKLEARN,
    SWITCHES,
    artifacts,
    code,
    data,
    digest,
    environment,
    images,
    leaf,
    model,
    provenance,
    table,
    tree,
)  # fmt: skip

KINDS = ("folder", "table", "artifact.safetensors", "class")
NAMES = st.text(st.sampled_from("abc['.]0/ é"), min_size=1, max_size=5)


@dataclass(frozen=True)
class Branch:
    """A tree without digests: a leaf has a content and no parts."""

    kind: str
    parts: tuple[tuple[str, Branch], ...] = ()
    content: int = 0


def branches(depth: int = 3) -> st.SearchStrategy[Branch]:
    ends = st.builds(Branch, st.sampled_from(["file", "column", "function"]), content=st.integers(0, 5))
    if not depth:
        return ends
    parts = st.lists(st.tuples(NAMES, branches(depth - 1)), min_size=1, max_size=5, unique_by=lambda named: named[0])
    return ends | st.builds(Branch, st.sampled_from(KINDS), parts.map(tuple))


AREA = st.lists(st.tuples(NAMES, branches()), min_size=1, max_size=5, unique_by=lambda named: named[0]).map(
    lambda parts: Branch("area", tuple(parts))
)


def grown(branch: Branch, changed: tuple[int, ...] | None = None) -> Fingerprint:
    """Return the tree with its digests; the leaf that `changed` leads to has another content."""
    if not branch.parts:
        return leaf((branch.content, changed is not None), branch.kind, f"{branch.content}")
    parts = {
        name: grown(part, changed[1:] if changed and changed[0] == at else None)
        for at, (name, part) in enumerate(branch.parts)
    }
    return tree(branch.kind, parts)


def ways(branch: Branch) -> list[tuple[int, ...]]:
    if not branch.parts:
        return [()]
    return [(at, *rest) for at, (_, part) in enumerate(branch.parts) for rest in ways(part)]


def written(branch: Branch, way: tuple[int, ...], joint: str) -> str:
    """Return the path that a person reads for the way to a leaf."""
    name, inner = branch.parts[way[0]]
    text = name
    for at in way[1:]:
        between = "/" if inner.kind == "folder" else joint
        name, deeper = inner.parts[at]
        text += name if name[0] in "[." else between + name
        inner = deeper
    return text


@given(st.sampled_from(["code", "data", "artifacts"]), AREA, st.data())
def test_one_changed_leaf_is_the_one_suspect(area: str, branch: Branch, draw: st.DataObject) -> None:
    way = draw.draw(st.sampled_from(ways(branch)))
    old, new = provenance(**{area: grown(branch)}), provenance(**{area: grown(branch, way)})
    (found,) = suspects(old, new)
    assert (found.source, found.change, found.weak) == (area, "changed", False)
    assert found.name == written(branch, way, "." if area == "code" else ": ")
    assert found.root == branch.parts[way[0]][0]


@given(st.sampled_from(["code", "data", "artifacts"]), AREA, st.data())
def test_one_part_more_or_less_is_the_one_suspect(area: str, branch: Branch, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(branch.parts) - 1))
    fewer = Branch(branch.kind, branch.parts[:at] + branch.parts[at + 1 :])
    less, more = (provenance(**{area: tree("area", dict(grown(one).parts))}) for one in (fewer, branch))
    (gone,), (come,) = suspects(more, less), suspects(less, more)
    assert (gone.change, come.change) == ("removed", "added")
    assert gone.name == come.name == branch.parts[at][0]


FACTS = st.dictionaries(
    st.sampled_from(
        ["CPU", "Python", "package numpy", "package x", "variable OMP_NUM_THREADS", "torch threads", "zzz"]
    ),
    st.sampled_from(["1", "2"]),
    min_size=1,
)


@given(FACTS, st.data())
def test_one_changed_field_is_the_one_suspect(facts: dict[str, str], draw: st.DataObject) -> None:
    name = draw.draw(st.sampled_from(sorted(facts)))
    old = provenance(environment=environment_of(Fact(key, text) for key, text in facts.items()))
    new = provenance(environment=environment_of(Fact(key, text) for key, text in (facts | {name: "3"}).items()))
    (found,) = suspects(old, new)
    assert (found.change, found.old, found.new) == ("changed", facts[name], "3")
    assert found.name == name.split(" ")[-1] if name.startswith(("package", "variable")) else name


@given(FACTS, st.dictionaries(NAMES, st.text(max_size=3)), st.dictionaries(NAMES, st.text(max_size=3)))
def test_what_can_t_change_numbers_is_never_a_suspect(facts: dict, one: dict, two: dict) -> None:
    assume(not {*facts, "torch"} & {*one, *two})
    numeric = [Fact(key, text) for key, text in facts.items()]
    sides = [environment_of([*numeric, *(Fact(k, v, numeric=False) for k, v in side.items())]) for side in (one, two)]
    assert suspects(*(provenance(environment=side) for side in sides)) == []
    also = environment_of([*numeric, Fact("torch", "new"), *(Fact(k, v, numeric=False) for k, v in one.items())])
    assert {suspect.name for suspect in suspects(*(provenance(environment=side) for side in (sides[1], also)))} == {
        "torch"
    }


@given(st.fixed_dictionaries({area: st.none() | AREA.map(grown) for area in AREAS}))
def test_nothing_is_suspected_of_itself(areas: dict[str, Fingerprint | None]) -> None:
    one = Provenance(**areas)
    assert suspects(one, one) == []


def test_nothing_is_suspected_where_one_side_is_unknown() -> None:
    assert suspects(Provenance(), provenance()) == suspects(provenance(), Provenance()) == []


def names(old: Provenance, new: Provenance) -> list[str]:
    return [suspect.name for suspect in suspects(old, new)]


def test_a_package_that_code_and_environment_name_is_one_suspect() -> None:
    new = provenance(
        code=code(**{SKLEARN: leaf("1.9.1", "package", "1.9.1")}), environment=environment(**{SKLEARN: "1.9.1"})
    )
    (found,) = suspects(provenance(), new)
    assert (found.source, found.name, found.old, found.new, found.reached) == (
        "package",
        "scikit-learn",
        "1.8.0",
        "1.9.1",
        True,
    )


def test_names_of_packages_are_compared_as_the_index_does() -> None:
    sides = [
        provenance(
            code=code(**{"package Scikit_Learn": leaf(version, "package", version), SKLEARN: None}),
            environment=environment(**{SKLEARN: version}),
        )
        for version in ("1.8.0", "1.9.1")
    ]
    assert names(*sides) == ["Scikit_Learn"]


def test_a_package_that_the_code_reaches_comes_before_one_that_was_merely_loaded() -> None:
    new = provenance(
        code=code(**{SKLEARN: leaf("1.9.1", "package", "1.9.1")}),
        environment=environment(**{SKLEARN: "1.9.1", "package aaa": "2"}),
    )
    assert names(provenance(environment=environment(**{"package aaa": "1"})), new) == ["scikit-learn", "aaa"]


def test_the_order_is_code_data_artifacts_packages_environment() -> None:
    new = provenance(
        code=code(
            **{
                "train.fit_head": leaf("x", "function"),
                "train.aaa": leaf(1, "function"),
                "package numpy": leaf("2.5", "package", "2.5"),
            }
        ),
        data=data(**{"data/train.csv": table(age="x")}),
        artifacts=artifacts(**{"model.safetensors": model(norm="x")}),
        environment=environment(
            **{"CPU": "x", "Python": "x", "torch switches": SWITCHES.format("on"), "variable MKL_CBWR": "AVX2"}
        ),
    )
    assert names(provenance(), new) == [
        *("train.fit_head", "train.aaa", "data/train.csv['age']", "model.safetensors: norm", "numpy"),
        *("MKL_CBWR", "torch switches", "CPU", "Python"),
    ]  # fmt: skip


def test_a_library_that_only_one_run_had_loaded_counts_only_alone() -> None:
    loaded = environment(**{"package pandas": "3.1.1", "BLAS of scipy": "OpenBLAS", "GPU 0": "H100"})
    found = suspects(provenance(), provenance(environment=loaded))
    assert [(suspect.name, suspect.change, suspect.weak) for suspect in found] == [
        ("pandas", "added", True),
        ("BLAS of scipy", "added", True),
        ("GPU 0", "added", True),
    ]
    assert names(provenance(), provenance(environment=loaded, data=data(x=leaf(1, "file")))) == ["x"]
    assert names(provenance(environment=loaded), provenance(data=data(x=leaf(1, "file")))) == ["x"]


def test_a_variable_that_was_set_or_unset_counts_like_any_change() -> None:
    set_ = provenance(environment=environment(**{"variable OMP_NUM_THREADS": "1"}))
    (found,) = suspects(provenance(), set_)
    assert (found.name, found.old, found.new, found.weak) == ("OMP_NUM_THREADS", "not set", "1", False)
    (found,) = suspects(set_, provenance())
    assert (found.old, found.new) == ("1", "not set")


def test_variables_and_packages_of_the_same_value_are_not_taken_for_renamed() -> None:
    old = provenance(
        environment=environment(**{"variable OMP_NUM_THREADS": "1"}),
        code=code(**{"package a": leaf("1", "package", "1")}),
    )
    new = provenance(
        environment=environment(**{"variable MKL_NUM_THREADS": "1"}),
        code=code(**{"package b": leaf("1", "package", "1")}),
    )
    assert {suspect.change for suspect in suspects(old, new)} == {"changed", "added", "removed"}


@pytest.mark.parametrize(
    ("old", "new", "names_"),
    [
        (data(), data(**{"data/train.csv": None, "data/b.csv": table()}), ("data/train.csv", "data/b.csv")),
        (data(), data(**{"data/images": images(**{"x": 7})}), None),
    ],
)
def test_a_renamed_file_counts_only_alone(old: Fingerprint, new: Fingerprint, names_: tuple[str, str] | None) -> None:
    found = suspects(provenance(data=old), provenance(data=new))
    if names_ is None:
        assert [suspect.change for suspect in found] == ["added"]
        return
    assert [(suspect.change, suspect.old, suspect.new) for suspect in found] == [("renamed", *names_)]
    changed = code(**{"train.scale": leaf("x", "function")})
    assert names(provenance(data=old), provenance(data=new, code=changed)) == ["train.scale"]


def test_a_file_that_is_renamed_in_its_folder_counts_only_alone() -> None:
    pictures = {f"{number}.png": leaf(number, "file") for number in range(5)}
    moved = {("z.png" if name == "3.png" else name): part for name, part in pictures.items()}
    sides = [provenance(data=tree("data", {"i": tree("folder", parts)})) for parts in (pictures, moved)]
    ((found),) = suspects(*sides)
    assert (found.change, found.old, found.new, found.weak) == ("renamed", "i/3.png", "i/z.png", True)


def test_a_renamed_column_counts() -> None:
    new = data(**{"data/train.csv": tree("table", {**dict(table(age=None).parts), "['years']": leaf("age", "column")})})
    (found,) = suspects(provenance(), provenance(data=new))
    assert (found.change, found.old, found.new, found.weak) == (
        *("renamed", "data/train.csv['age']", "data/train.csv['years']"),
        False,
    )  # fmt: skip


def test_a_table_of_which_every_column_changed_is_one_suspect() -> None:
    changed = table(age=1, income=2, city=3, label=4, zip=5)
    assert names(provenance(), provenance(data=data(**{"data/train.csv": changed}))) == ["data/train.csv"]


def test_a_whole_whose_parts_were_not_kept_is_told_as_a_whole() -> None:
    def folder(number: int) -> Fingerprint:
        return data(big=tree("folder", {f"{at}": leaf(at if at else number, "file") for at in range(number)}))

    assert names(provenance(data=folder(1500)), provenance(data=folder(3000))) == ["big"]
    assert names(provenance(data=folder(3000)), provenance(data=folder(3001))) == ["big"]


def test_an_area_of_too_many_parts_is_told_as_a_whole() -> None:
    def area(content: int) -> Fingerprint:
        return tree("code", {f"f{at}": leaf(at if at else content, "function") for at in range(10_001)})

    assert names(provenance(code=area(1)), provenance(code=area(2))) == ["something in the code"]
    assert names(provenance(data=area(1)), provenance(data=area(2))) == ["something in data"]


def test_an_area_that_differs_in_no_part_is_told_as_a_whole() -> None:
    other = Fingerprint(digest("other"), "data", data().parts)
    assert names(provenance(), provenance(data=other)) == ["something in data"]


def ran(*functions: str, **contents: object) -> Fingerprint:
    parts = {name: leaf("fit", "function", "train.py:41") for name in functions}
    return tree("ran", parts | {name: leaf(what, "function", "x.py:1") for name, what in contents.items()})


def test_what_ran_counts_only_if_both_sides_could_see_it() -> None:
    assert suspects(provenance(), provenance(code=code(ran=ran("a", "b")))) == []
    assert suspects(provenance(code=code(ran=ran("a", "b"))), provenance()) == []


def test_a_function_that_ran_unreached_and_changed_is_suspected() -> None:
    sides = [provenance(code=code(ran=ran("train.fit_head", plug=what))) for what in (1, 2)]
    assert [(suspect.name, suspect.weak) for suspect in suspects(*sides)] == [("plug", False)]


def test_a_reached_function_that_also_ran_is_told_once() -> None:
    old = provenance(code=code(ran=tree("ran", {"train.fit_head": leaf("fit", "function")})))
    changed = leaf("x", "function", "train.py:44")
    new = provenance(code=code(**{"train.fit_head": changed}, ran=tree("ran", {"train.fit_head": changed})))
    assert names(old, new) == ["train.fit_head"]


def test_a_function_that_ran_in_one_run_only_is_no_suspect() -> None:
    old, new = (provenance(code=code(ran=ran("a", *more))) for more in ((), ("rare",)))
    assert suspects(old, new) == suspects(new, old) == []
    assert names(old, provenance(code=new.code, data=data(x=leaf(1, "file")))) == ["x"]


def test_what_the_test_itself_wrote_is_an_effect() -> None:
    sides = [
        provenance(artifacts=artifacts(written=tree("written", {"out.csv": leaf(content, "file")})))
        for content in (1, 2)
    ]
    assert suspects(*sides) == suspects(provenance(), sides[0]) == []
    changed = provenance(artifacts=artifacts(written=leaf(3, "written"), **{"model.safetensors": model(norm="x")}))
    assert names(sides[0], changed) == ["model.safetensors: norm"]
