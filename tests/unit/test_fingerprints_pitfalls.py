"""What other tools get wrong: chunks, views, orders, processes, values that change after they were digested."""

import copy
import pickle
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import Fingerprint, fingerprint, fingerprint_node
from pytest_mlrepro.values.describe import describe


def same(*values):
    return len({fingerprint(value).digest for value in values}) == 1


def changed(old, new):
    return set(fingerprint(old).diff(fingerprint(new)))


DTYPES = st.sampled_from(["f2", "f4", "f8", "c8", "i2", ">i4", "u1", "?", "M8[ms]", "U3", "S2"])


@settings(deadline=None)
@given(hnp.arrays(DTYPES, hnp.array_shapes(min_dims=1, max_dims=3, max_side=6)), st.data())
def test_any_view_is_its_copy(array, data):
    view = array[data.draw(hnp.basic_indices(array.shape, allow_newaxis=True))]
    if isinstance(view, np.ndarray):
        turned = view.transpose(data.draw(st.permutations(range(view.ndim))))
        assert same(turned, turned.copy(), np.asfortranarray(turned).reshape(turned.shape))
        assert same({"a": turned}, {"a": turned.copy()})


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())
KEYS = st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text()))
NESTED = st.recursive(
    SCALARS, lambda inner: st.one_of(st.dictionaries(KEYS, inner), st.lists(inner), st.frozensets(KEYS)), max_leaves=20
)


def shuffled(value, random):
    """The same value, every dict and set in it made in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, random)) for key, item in value.items()]
        random.shuffle(items)
        return dict(items)
    if isinstance(value, frozenset):
        items = list(value)
        random.shuffle(items)
        return frozenset(items)
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@settings(deadline=None)
@given(NESTED, st.randoms(use_true_random=False))
def test_order_of_dicts_and_sets_never_counts(value, random):
    assert same(value, shuffled(value, random))


TYPES = ["int16", "float64", "string", "large_string", "binary", "bool", "list", "struct", "dictionary", "timestamp"]


def arrow_array(pa, name, items):
    values = {
        "string": lambda i: "é" * i,
        "large_string": lambda i: "ab"[:i],
        "binary": lambda i: b"\0" * i,
        "bool": lambda i: i > 2,
        "list": lambda i: list(range(i)),
        "struct": lambda i: {"x": i, "y": str(i)},
        "dictionary": lambda i: f"w{i}",
    }.get(name, lambda i: i)
    kinds = {
        "list": pa.list_(pa.int64()),
        "struct": pa.struct([("x", pa.int64()), ("y", pa.string())]),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    kind = kinds.get(name) or getattr(pa, {"bool": "bool_"}.get(name, name))()
    return pa.array([None if item is None else values(item) for item in items], kind)


@settings(deadline=None)
@given(st.sampled_from(TYPES), st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=12), st.data())
def test_chunks_of_arrow_never_count(name, items, data):
    pa = pytest.importorskip("pyarrow")
    whole = arrow_array(pa, name, items)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(items)), max_size=4)))
    around = arrow_array(pa, name, [1, *items, None, 2])  # so that a slice starts inside its buffers
    pieces = [around.slice(1 + low, high - low) for low, high in zip([0, *cuts], [*cuts, len(items)], strict=True)]
    chunked = pa.chunked_array(pieces, whole.type)
    assert same(pa.chunked_array([whole]), chunked, chunked.combine_chunks() if name == "x" else chunked)
    assert same(whole, around.slice(1, len(items)))
    assert same(pa.table({"a": whole, "b": whole}), pa.table({"a": chunked, "b": chunked}))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=9), st.integers(0, 9), st.data())
def test_chunks_of_polars_never_count(items, cut, data):
    pl = pytest.importorskip("polars")
    kind = data.draw(st.sampled_from([pl.String, pl.Binary, pl.Categorical, pl.List(pl.String)]))
    if kind == pl.Binary:
        items = [None if item is None else item.encode("utf-8", "replace") for item in items]
    if kind == pl.List(pl.String):
        items = [None if item is None else list(item) for item in items]
    items = [item.encode("utf-8", "replace").decode() if isinstance(item, str) else item for item in items]
    whole = pl.Series("a", items, dtype=kind)
    pieces = pl.concat([whole[:cut], whole[cut:cut], whole[cut:]], rechunk=False)
    assert same(whole, pieces, whole.rechunk(), whole.to_frame()["a"])
    assert same(whole.to_frame(), pieces.to_frame())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=1, max_size=9), st.integers(0, 9))
def test_blocks_and_storage_of_pandas_never_count(items, cut):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    items = [item.encode("utf-8", "replace").decode() if isinstance(item, str) else item for item in items]
    python, arrow = (pd.Series(items, dtype=f"string[{storage}]") for storage in ("python", "pyarrow"))
    assert same(python, arrow, pd.concat([arrow[:cut], arrow[cut:]]))
    numbers = np.arange(3.0 * len(items)).reshape(-1, 3)
    block = pd.DataFrame(numbers, columns=list("abc"))
    columns = pd.DataFrame({"a": numbers[:, 0].copy(), "b": 0.0, "c": numbers[:, 2]})
    columns["b"] = numbers[:, 1]
    assert same(block, columns, pd.concat([block, block]).iloc[: len(items)], block.copy(), block.T.T)


def test_two_columns_of_one_name_are_matched_in_order():
    pd = pytest.importorskip("pandas")
    old = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    new = pd.DataFrame([[1, 5, 3]], columns=["a", "a", "b"])
    assert changed(old, new) == {"['a']"}
    assert not same(old, pd.DataFrame([[2, 1, 3]], columns=["a", "a", "b"]))
    assert same(old, old.copy(), pickle.loads(pickle.dumps(old)))


MIXED = """
import sys
from pytest_mlrepro.fingerprints import fingerprint
value = [{'a', 'bb', ('x', 1)}, {'z': 1, 'y': {2, 'q'}, 3: frozenset('hello')}]
if 'sklearn' in sys.argv:
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.tree import DecisionTreeClassifier
    texts = ['a cat sat', 'the dog ran', 'the cat ran'] * 4
    words = CountVectorizer(stop_words=['the', 'a'])
    value.append(make_pipeline(words, DecisionTreeClassifier(random_state=0)).fit(texts, [0, 1, 1] * 4))
if 'torch' in sys.argv:
    import torch
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    layer.tags = {'one', 'two', 'three'}
    value.append(torch.nn.ModuleDict({'b': layer, 'a': torch.nn.ReLU()}))
    value.append(torch.optim.SGD(layer.parameters(), lr=0.5, momentum=0.9))
print(fingerprint(value).digest, end='')
"""


@pytest.mark.parametrize("libraries", [(), ("sklearn",), ("torch",)])
def test_processes_of_other_hash_seeds_agree(libraries):
    for library in libraries:
        pytest.importorskip(library)

    def run(seed):
        command = [sys.executable, "-c", MIXED, *libraries]
        return subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout

    found = {run(seed) for seed in ("0", "1", "77")}
    assert len(found) == 1
    assert found.pop().startswith("mlrepro1-blake3:")


def test_a_value_that_changes_later_leaves_its_fingerprint_alone():
    value = {
        "lr": 0.1,
        "layers": [1, "relu"],
        "w": np.zeros(3),
        "big": np.zeros(1_000_000),
        "deep": {"a": {"b": [None]}},
    }
    for make in (fingerprint, lambda v: fingerprint_node(describe(v))):
        before = make(value)
        twin = copy.deepcopy(value)
        twin["lr"], twin["layers"][1], twin["w"][1], twin["big"][600_000] = 0.2, "gelu", 1, 1
        twin["deep"]["a"]["b"] = 7
        after = make(twin)
        twin.clear()
        kept = before.parts
        assert set(before.diff(after)) == {
            "['lr']",
            "['layers'][1]",
            "['w']",
            "['big'][524288:1000000]",
            "['deep']['a']['b']",
        }
        assert before.parts is kept
        assert [name for name, _ in kept] == ["['big']", "['deep']", "['layers']", "['lr']", "['w']"]


def test_parts_have_the_digests_of_their_values():
    Point = namedtuple("Point", "x y")

    @dataclass
    class Config:
        rate: float
        sizes: object = None

    value = {
        "a": [1, "x"],
        "p": Point(1, [None, {2: "b"}]),
        "c": Config(0.5, {(1, "k"): None, "s" * 5000: 2, ("t" * 5000,): 3}),
        "s": frozenset({1, "b", (2, "c")}),
        "t": "x" * 9000,
        "many": [{"i": i} for i in range(600)],
    }

    def check(part, whole):
        for name, below in part.parts:
            assert isinstance(name, str)
            check(below, None)
        if whole is not None:
            assert part.digest == fingerprint(whole).digest

    for found in (fingerprint(value), fingerprint_node(describe(value))):
        check(found, value)
        parts = dict(found.parts)
        assert parts["['a']"] == fingerprint(value["a"])
        assert parts["['t']"] == fingerprint(value["t"])
        assert dict(parts["['p']"].parts)[".y"] == fingerprint(value["p"].y)
        keys = [name for name, _ in dict(parts["['c']"].parts)[".sizes"].parts]
        assert keys[::2] == ["[(1, 'k')]", "['" + "s" * 5000 + "']"]
        assert keys[1].startswith("[tuple mlrepro1-blake3:")
        assert {name for name, _ in parts["['s']"].parts} == {"[1]", "['b']", "[(2, 'c')]"}
        assert dict(parts["['many']"].parts)["[599]"].parts == (("['i']", fingerprint(599)),)


def test_a_fingerprint_never_changes():
    found = fingerprint({"a": [1, "b"]})
    with pytest.raises(AttributeError):
        found.digest = "x"
    with pytest.raises(AttributeError):
        found.other = 1
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert hash(again) == hash(found)
    assert again.parts == found.parts
    assert again.kind == "dict"
    assert again.diff(fingerprint({"a": [1, "c"]})) == ("['a'][1]",)
    assert copy.deepcopy(found) == found
    assert found != fingerprint({"a": [1, "c"]})
    assert found != found.digest
    assert found == Fingerprint(found.digest, "other")
    assert repr(found) == f"Fingerprint({found.digest!r}, 'dict')"


def test_a_part_of_another_kind_is_named_itself():
    assert changed({"a": {"b": 1}}, {"a": [None, "x"]}) == {"['a']"}
    assert changed({"a": {}}, {"a": {"b": 1}}) == {"['a']['b']"}


def test_a_type_that_is_not_ours_is_registered_by_assignment():
    class Theirs:
        def __init__(self, weights):
            self.weights = weights

    with pytest.raises(FingerprintError, match=r"value\['m'\] .*Theirs\.__mlrepro__ = lambda self"):
        fingerprint({"m": Theirs(1)})
    Theirs.__mlrepro__ = lambda self: {"weights": self.weights}
    assert same(Theirs([1.0]), Theirs([1.0]))
    assert changed(Theirs([1.0]), Theirs([2.0])) == {".__mlrepro__['weights']"}


def test_small_things_of_python():
    import random
    import re

    def generator(seed, draws=0):
        made = random.Random(seed)
        for _ in range(draws):
            made.random()
        return made

    assert same(generator(1), generator(1), copy.deepcopy(generator(1)))
    assert same(slice(1, None), slice(1, None, None))
    assert same(re.compile("a"), re.compile("a"))
    things = [
        generator(1), generator(2), generator(1, 1), slice(1), slice(1, None), slice(None), re.compile("a"), re.compile(b"a"),
        re.compile("a", re.I), np.random.default_rng(1), np.random.default_rng(2), np.random.RandomState(1), np.random.PCG64(1),
        np.random.SeedSequence(1), np.random.MT19937(1),
    ]  # fmt: skip
    assert len({fingerprint(thing).digest for thing in things}) == len(things)
    with pytest.raises(FingerprintError, match=r"seeded random\.Random"):
        fingerprint(random.SystemRandom())


def test_what_a_generator_has_used_up_does_not_count():
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    for made in (first, second):
        made.integers(0, 5, dtype=np.int32)  # takes half of a number, the other half waits
    assert same(first, second)
    waiting = fingerprint(first)
    first.integers(0, 5, dtype=np.int32)
    assert fingerprint(first) != waiting
    legacy, other = np.random.RandomState(3), np.random.RandomState(3)
    legacy.normal()
    assert not same(legacy, other)


def test_classes_that_declare_their_fields():
    attrs = pytest.importorskip("attrs")

    @attrs.define
    class Config:
        rate: float
        _hidden: int = 1

    assert same(Config(0.1), Config(0.1))
    assert changed(Config(0.1), Config(0.2)) == {".rate"}
    assert changed(Config(0.1), Config(0.1, 2)) == {"._hidden"}


def test_models_of_pydantic():
    pydantic = pytest.importorskip("pydantic")

    class Config(pydantic.BaseModel, extra="allow"):
        rate: float
        name: str = "a"

    assert same(Config(rate=0.1), Config(rate=0.1, name="a"))
    assert changed(Config(rate=0.1), Config(rate=0.2)) == {".rate"}
    assert changed(Config(rate=0.1), Config(rate=0.1, more=1)) == {"['more']"}
