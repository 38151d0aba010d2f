"""Provenances as text: what is written comes back, in few bytes, and what was damaged is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.errors import GoldenError
from pytest_mlrepro.fingerprints.digest import Fingerprint
from pytest_mlrepro.fingerprints.environment import fingerprint_environment
from pytest_mlrepro.provenance.bounds import MAX_DEPTH, MAX_DIRECT, MAX_NODES, bounded
from pytest_mlrepro.provenance.record import AREAS, Provenance, dumps, from_json, loads, to_json
from tests.unit.provenance_cases import code, data, digest, leaf, provenance, tree

NAMES = st.text(st.characters(), max_size=8)  # lone surrogates too: file names may hold them
LEAVES = st.builds(Fingerprint, st.integers(0, 9).map(digest), st.sampled_from(["file", "column"]), st.just(()), NAMES)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Fingerprint,
        st.integers(0, 9).map(digest),
        st.sampled_from(["folder", "table"]),
        st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple),
        NAMES,
    ),
    max_leaves=12,
)
PROVENANCES = st.builds(
    Provenance,
    **{area: st.none() | TREES for area in AREAS},
    commit=st.text(min_size=1, max_size=5),
    dirty=st.sampled_from([True, False, None]),
)


def everything(node: Fingerprint | None) -> object:
    """Return all that a fingerprint holds: comparing two of them may look at digests alone."""
    return node and (node.digest, node.kind, node.text, [(name, everything(part)) for name, part in node.parts])


def same(one: Provenance, two: Provenance) -> bool:
    plain = [(side.commit, side.dirty, [everything(side.area(area)) for area in AREAS]) for side in (one, two)]
    return plain[0] == plain[1]


def count(node: Fingerprint) -> int:
    return 1 + sum(count(part) for _, part in node.parts)


@given(PROVENANCES)
def test_what_is_written_comes_back(one: Provenance) -> None:
    text = dumps(one)
    back = loads(text)
    assert back == one
    assert same(back, one)
    assert dumps(back) == text
    assert same(from_json(json.loads(json.dumps(to_json(one)))), one)


@given(PROVENANCES, st.randoms())
def test_the_order_in_which_parts_came_makes_no_difference(one: Provenance, random: object) -> None:
    shuffled = {}
    for area in AREAS:
        whole = one.area(area)
        parts = list(whole.parts) if whole else []
        random.shuffle(parts)
        shuffled[area] = whole and Fingerprint(whole.digest, whole.kind, tuple(parts), whole.text)
    names = [[name for name, _ in whole.parts] for whole in (one.code, one.data) if whole]
    if all(len(set(inner)) == len(inner) for inner in names):
        again = Provenance(**shuffled, commit=one.commit, dirty=one.dirty)
        assert [everything(again.code), everything(again.data)] == [everything(one.code), everything(one.data)]


def test_the_text_has_one_part_a_line_and_no_time_in_it() -> None:
    lines = dumps(provenance()).splitlines()
    (line,) = [line for line in lines if "train.fit_head" in line]
    assert line.strip().rstrip(",") == (
        f'{{"digest": "{leaf("fit", "function").digest}", "kind": "function", "name": "train.fit_head", "text": "train.py:41"}}'
    )
    assert lines[0] == "{"
    assert [line for line in lines if line.startswith(' "')][:1] == [' "artifacts": {']
    assert {line.split('"')[1] for line in lines if line.startswith(' "')} == {
        *("artifacts", "code", "commit", "data", "dirty", "environment", "schema"),
    }  # fmt: skip


def test_the_same_inputs_give_the_same_bytes_and_an_unknown_commit_is_called_so() -> None:
    assert dumps(provenance()) == dumps(provenance())
    assert json.loads(dumps(Provenance()))["commit"] == "unknown"


def test_this_environment_is_written_and_read() -> None:
    one = Provenance(environment=fingerprint_environment())
    assert same(loads(dumps(one)), one)


def test_fields_of_a_later_version_are_ignored() -> None:
    text = json.loads(dumps(provenance()))
    text["pipeline"] = {"steps": [1, 2]}
    text["code"]["parts"][0]["author"] = {"name": "x"}
    text["data"]["size"] = 12
    assert same(loads(json.dumps(text)), provenance())


def test_a_later_schema_is_not_guessed_at() -> None:
    text = json.dumps(json.loads(dumps(provenance())) | {"schema": 2})
    with pytest.raises(GoldenError, match=r"x/provenance\.json has schema 2, this version knows 1: update"):
        loads(text, "x/provenance.json")


DAMAGE = {
    "": "not whole: Expecting value",
    "{": "not whole: Expecting property name",
    "<<<<<<< HEAD": "not whole",
    "[]": "should be an object, and is a value of type list",
    "null": "should be an object, and is nothing",
    '{"code": 3}': "code should be an object, and is a value of type int",
    '{"code": {}}': "code: digest should be some text, and is nothing",
    '{"code": {"digest": "d"}}': "code: kind should be some text, and is nothing",
    '{"code": {"digest": 1, "kind": "k"}}': "code: digest should be some text, and is a value of type int",
    '{"code": {"digest": "d", "kind": "k", "parts": {}}}': "code: parts should be a list",
    '{"code": {"digest": "d", "kind": "k", "parts": [7]}}': "code, part 1 should be an object",
    '{"code": {"digest": "d", "kind": "k", "parts": [{"digest": "d", "kind": "k"}]}}': "code, part 1: name should be",
    '{"data": {"digest": "d", "kind": "k", "text": null}}': "data: text should be some text, and is nothing",
    '{"commit": 5}': "commit should be some text",
    '{"dirty": "no"}': "dirty should be true, false or null",
}


@pytest.mark.parametrize("text", DAMAGE)
def test_damage_is_named_with_its_place(text: str) -> None:
    with pytest.raises(GoldenError) as caught:
        loads(text, "m/provenance.json")
    assert str(caught.value).startswith("m/provenance.json")
    assert DAMAGE[text] in str(caught.value)
    assert "Put it back from version control, or record it again" in str(caught.value)


def test_an_empty_name_is_a_name() -> None:
    one = Provenance(data=tree("data", {"": leaf(1, "file")}))
    assert same(loads(dumps(one)), one)


def test_a_deep_text_is_refused_at_once() -> None:
    with pytest.raises(GoldenError, match="nests too deeply"):
        loads("[" * 200_000)
    node = {"digest": "d", "kind": "k", "name": "n"}
    bomb = dict(node)
    for _ in range(100):
        bomb = {**node, "parts": [bomb]}
    with pytest.raises(GoldenError, match=f"more than {MAX_DEPTH} levels"):
        loads(json.dumps({"data": bomb}))


def test_a_huge_text_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(GoldenError, match="is too large: 67,108,865 characters"):
        loads(" " * (64 * 2**20 + 1))


def chunks(number: int) -> Fingerprint:
    return tree("column", {f"[{at}:{at + 1}]": leaf(at, "chunk") for at in range(number)})


def test_the_finest_parts_go_first_and_the_digest_above_stays() -> None:
    whole = data(**{"data/big.csv": tree("table", {"['a']": chunks(3000), "['b']": chunks(5)}, "9 GB")})
    cut = bounded(whole)
    assert cut.digest == whole.digest
    assert count(cut) <= MAX_NODES + 1
    big = dict(dict(cut.parts)["data/big.csv"].parts)
    assert big["['a']"].parts == ()
    assert big["['a']"].text == "3,000 parts not kept"
    assert big["['a']"].digest == chunks(3000).digest
    assert everything(dict(cut.parts)["data/train.csv"]) == everything(dict(whole.parts)["data/train.csv"])


def test_a_folder_of_very_many_files_keeps_its_digest() -> None:
    folder = tree("folder", {f"{number}.png": leaf(number, "file") for number in range(10_000)}, "10,000 entries")
    (kept,) = [part for _, part in bounded(tree("data", {"images": folder})).parts]
    assert (kept.digest, kept.text) == (folder.digest, "10,000 entries, 10,000 parts not kept")


def test_functions_are_kept_beyond_the_limit_and_lose_what_is_below_them() -> None:
    methods = {f"m{number}": tree("class", {"f": leaf(number, "function")}) for number in range(MAX_NODES)}
    kept = bounded(tree("code", methods))
    assert len(kept.parts) == MAX_NODES
    assert {part.text for _, part in kept.parts} == {"1 part not kept"}
    far = bounded(tree("code", {f"f{number}": leaf(number, "function") for number in range(MAX_DIRECT + 1)}))
    assert (far.parts, far.text) == ((), "10,001 parts not kept")


def test_a_very_deep_tree_is_cut() -> None:
    deep = leaf(0, "int")
    for _ in range(5_000):
        deep = Fingerprint(digest(deep.digest), "list", (("[0]", deep),))
    one = Provenance(data=Fingerprint(digest("data"), "data", (("deep", deep),)))
    assert same(loads(dumps(one)), one)


@given(TREES)
def test_cutting_twice_is_cutting_once(whole: Fingerprint) -> None:
    assert everything(bounded(bounded(whole))) == everything(bounded(whole))


def test_a_provenance_stays_small() -> None:
    many = {f"t{number}": tree("table", {f"['{column}']": chunks(40) for column in range(40)}) for number in range(40)}
    assert len(dumps(provenance(data=tree("data", many), code=code()))) < 500_000
