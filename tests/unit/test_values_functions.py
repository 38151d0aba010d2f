"""Callables inside values: installed ones by public name, those in source files by what they do."""

import functools
import json
import math
import operator
import os
import pathlib
import random
import types

import numpy as np
import pytest

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint_node
from pytest_mlrepro.values import describe as plain_values
from pytest_mlrepro.values.functions import describe_function, is_callable_value
from pytest_mlrepro.values.node import Group, Scalar
from pytest_mlrepro.values.walk import Refused, Walk


def described(value):
    """Describe with callables in any place of the value."""
    try:
        return Walk(plain_values._EXACT, other).describe(value)
    except Refused as refused:
        raise refused.public() from None


def other(value, walk):
    return describe_function(value, walk) if is_callable_value(value) else plain_values._other(value, walk)


def same(*values):
    return len({fingerprint_node(described(value)).digest for value in values}) == 1


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (np.log1p, "numpy.log1p"),
        (np.abs, "numpy.absolute"),
        (np.mean, "numpy.mean"),
        (np.linalg.norm, "numpy.linalg.norm"),
        (np.random.default_rng, "numpy.random.default_rng"),
        (np.random.rand, "numpy.random.rand"),
        (np.ndarray.sum, "numpy.ndarray.sum"),
        (math.sin, "math.sin"),
        (len, "builtins.len"),
        (os.path.join, "os.path.join"),
        (operator.add, "operator.add"),
        (functools.reduce, "functools.reduce"),
        (random.random, "random.random"),
        (json.loads, "json.loads"),
        (str.upper, "builtins.str.upper"),
        (object.__init__, "builtins.object.__init__"),
    ],
)
def test_installed_functions_go_by_public_name(value, name):
    assert described(value) == Scalar("function", name)


@pytest.mark.parametrize(
    ("value", "name"),
    [(int, "builtins.int"), (np.float32, "numpy.float32"), (pathlib.Path, "pathlib.Path"), (Scalar, None)],
)
def test_installed_classes_go_by_public_name(value, name):
    assert described(value) == Scalar("class", name or "pytest_mlrepro.values.node.Scalar")


def test_names_of_libraries_don_t_tell_where_their_code_is_kept():
    torch = pytest.importorskip("torch")
    sklearn = pytest.importorskip("sklearn.preprocessing")
    found = [
        described(value).value
        for value in (torch.relu, torch.nn.Linear, torch.nn.functional.gelu, torch.Tensor.sum, sklearn.scale)
    ]
    assert found == [
        "torch.relu",
        "torch.nn.Linear",
        "torch.nn.functional.gelu",
        "torch.Tensor.sum",
        "sklearn.preprocessing.scale",
    ]


def double(x):
    return 2 * x


def test_functions_of_a_file_go_by_what_they_do():
    spaced = lambda x: (  # noqa: E731
        2 * x  # a comment
    )
    plain, other = lambda x: 2 * x, lambda x: 3 * x
    assert same(plain, spaced)
    assert not same(plain, other)
    assert not same(double, plain)


def test_several_lambdas_on_one_line_are_told_apart():
    made = [lambda: 1, lambda: 2, lambda x: x, lambda x: x + 1, lambda x, y=(lambda: 1): y, lambda: (lambda: 7)]  # fmt: skip
    assert len({fingerprint_node(described(value)).digest for value in [*made, made[-1]()]}) == 7


def scaled(factor, *, shift=0):
    def scale(x, power=2):
        return factor * x**power + shift

    return scale


def test_closure_and_defaults_count():
    assert same(scaled(2), scaled(2))
    assert not same(scaled(2), scaled(3))
    assert not same(scaled(2), scaled(2, shift=1))
    changed = scaled(2)
    changed.__defaults__ = (3,)
    assert not same(scaled(2), changed)
    assert not same(double, scaled(2))


def test_closure_that_holds_itself_or_nothing_yet():
    def make(start):
        def down(n):
            return down(n - 1) if n else start

        return down

    def early():
        def inner():
            return later

        found = described(inner)
        later = 1
        return found

    assert same(make(3), make(3))
    assert not same(make(3), make(4))
    assert isinstance(early(), Group)


def tripled(function):
    @functools.wraps(function)
    def wrapper(x):
        return 3 * function(x)

    return wrapper


def test_decorated_functions_hold_their_wrapper():
    def one(x):
        return x

    def two(x):
        return x + 1

    two.__name__ = two.__qualname__ = "one"
    assert not same(one, tripled(one))
    assert same(tripled(one), tripled(one))
    assert not same(tripled(one), tripled(two))
    assert not same(functools.lru_cache(one), one)
    assert same(functools.lru_cache(one), functools.lru_cache(one))


def test_parts_of_partials_and_getters():
    assert same(functools.partial(double, 1, k=2), functools.partial(double, 1, k=2))
    assert not same(functools.partial(double, 1), functools.partial(double, 2))
    assert not same(functools.partial(double), functools.partial(np.abs))
    assert not same(operator.itemgetter("a"), operator.itemgetter("b"))
    assert not same(operator.methodcaller("a", k=1), operator.methodcaller("a", k=2))


class Base:
    scale = 1


class Model(Base):
    def apply(self, x):
        return x

    @classmethod
    def make(cls):
        return cls()


def test_classes_of_a_file_and_their_methods():
    assert described(Model).kind == "class"
    assert not same(Model, Base)
    assert same(Model.make, Model.make)
    assert dict(described(Model.make).attrs) == {"name": "make"}
    assert described([].append).kind == "method"


def test_no_source_is_said_with_what_to_do():
    made = eval("lambda x: x + 1")
    with pytest.raises(FingerprintError, match=r"made by exec or eval.*__mlrepro__"):
        described(made)
    with pytest.raises(FingerprintError, match=r"value\.func .*made by exec or eval"):
        described(functools.partial(made, 1))
    made.__mlrepro__ = lambda: "x plus one"
    assert described(made).kind == "custom"


def test_compiled_code_without_a_name_is_refused():
    with pytest.raises(FingerprintError, match="wrap it in a function"):
        described(np.frompyfunc(double, 1, 1))


def test_moved_definition_is_found_by_name(tmp_path, monkeypatch):
    path = tmp_path / "moved.py"
    path.write_text("def f(x):\n    return x + 1\n", "utf-8")
    space = {"__name__": "moved"}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), space)
    before = fingerprint_node(described(space["f"])).digest
    path.write_text("# moved\n\n\ndef g():\n    pass\n\n\ndef f(x):\n    return x + 1  # here\n", "utf-8")
    assert fingerprint_node(described(space["f"])).digest == before
    path.write_text("def h(x):\n    return x + 1\n", "utf-8")
    with pytest.raises(FingerprintError, match="no fingerprint"):
        described(space["f"])


def test_only_callables_are_taken():
    assert all(map(is_callable_value, [len, double, Model, np.log1p, types.MethodType(double, 1), np.random.rand]))
    assert not any(map(is_callable_value, [1, "a", np.zeros(2), Model(), json]))
