"""A change of code changes exactly the part that it belongs to; a change of its looks changes none."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.fingerprints.code import fingerprint_code, project_of
from pytest_mlrepro.values.syntax import syntax_digest
from tests.unit.code_projects import Projects

TEST = """
    import train

    def test_a():
        assert train.fit(2)
"""


@pytest.fixture
def projects(tmp_path):
    return Projects(tmp_path)


def one_of(train, old, new, test=TEST, **more):
    return {"test_m.py": test, "train.py": train, **more}, {"train.py": (old, new)}


CHANGES = {
    "body": (*one_of("def fit(x):\n    return x + 1\n", "x + 1", "x + 2"), {"train.fit"}),
    "operator": (*one_of("def fit(x):\n    return x + 1\n", "x + 1", "x - 1"), {"train.fit"}),
    "constant": (*one_of("RATE = 0.1\ndef fit(x):\n    return x * RATE\n", "0.1", "0.2"), {"train.RATE"}),
    "type of a constant": (*one_of("RATE = 1\ndef fit(x):\n    return x * RATE\n", "1", "1.0"), {"train.RATE"}),
    "annotated constant": (*one_of("RATE: float = 1.\ndef fit(x): return RATE\n", "1.", "2."), {"train.RATE"}),
    "augmented constant": (*one_of("A = 1\nA += 2\ndef fit(x): return A\n", "2", "3"), {"train.A"}),
    "one of two": (*one_of("A, B = 1, 2\ndef fit(x): return A\n", "1, 2", "3, 2"), {"train.A"}),
    "other of two": (*one_of("A, B = 1, 2\ndef fit(x): return A\n", "1, 2", "1, 3"), set()),
    "computed constant": (
        *one_of("def half(x): return x / 2\nA = half(4)\ndef fit(x): return A\n", "x / 2", "x / 4"),
        {"train.A"},
    ),
    "conditional constant": (
        *one_of("import sys\nif sys:\n    A = 1\nelse:\n    A = 2\ndef fit(x): return A\n", "A = 1", "A = 5"),
        {"train.A"},
    ),
    "table filled in a loop": (
        *one_of("T = []\nfor i in range(3):\n    T.append(i * 2)\ndef fit(x): return T\n", "i * 2", "i * 3"),
        {"train.T"},
    ),
    "default": (*one_of("def fit(x, k=3):\n    return x * k\n", "k=3", "k=4"), {"train.fit"}),
    "keyword-only default": (*one_of("def fit(x, *, k=3):\n    return x * k\n", "k=3", "k=4"), {"train.fit"}),
    "mutable default": (*one_of("def fit(x, k=[1]):\n    return x\n", "[1]", "[2]"), {"train.fit"}),
    "default from a constant": (
        *one_of("K = 3\ndef fit(x, k=K):\n    return x * k\n", "K = 3", "K = 4"),
        {"train.K"},
    ),
    "default from a class": (
        *one_of("class M:\n    K = 3\n    def f(self, k=K): return k\ndef fit(x): return M().f()\n", "K = 3", "K = 4"),
        {"train.M"},
    ),
    "computed default": (
        *one_of("def three(): return 3\ndef fit(x, k=three() + abs(1)): return x\n", "return 3", "return 4"),
        {"train.three"},
    ),
    "default of a loop": (
        *one_of("for n in (1, 2):\n    def fit(x, k=n): return x\nn = 0\n", "(1, 2)", "(1, 3)"),
        {"train.fit"},
    ),
    "default function": (
        *one_of("def relu(x): return x\ndef fit(x, f=relu): return f(x)\n", "return x\n", "return -x\n"),
        {"train.relu"},
    ),
    "annotation": (*one_of("def fit(x: int):\n    return x\n", ": int", ": float"), {"train.fit"}),
    "three calls away": (
        *one_of(
            "def fit(x): return a(x)\ndef a(x): return b(x)\ndef b(x): return c(x)\ndef c(x): return x + K\nK = 1\n",
            "x + K",
            "x - K",
        ),
        {"train.c"},
    ),
    "constant four steps away": (
        *one_of(
            "def fit(x): return a(x)\ndef a(x): return b(x)\ndef b(x): return c(x)\ndef c(x): return x + K\nK = 1\n",
            "K = 1",
            "K = 2",
        ),
        {"train.K"},
    ),
    "recursion": (
        *one_of(
            "def fit(x): return odd(x)\ndef odd(x): return x and even(x-1)\ndef even(x): return odd(x-1)\n",
            "-1)\ndef even",
            "-3)\ndef even",
        ),
        {"train.odd"},
    ),
    "closure value": (
        *one_of("def make(k):\n    def inner(x): return x * k\n    return inner\nfit = make(3)\n", "make(3)", "make(4)"),
        {"train.make.<locals>.inner"},
    ),
    "closure body": (
        *one_of("def make(k):\n    def inner(x): return x * k\n    return inner\nfit = make(3)\n", "x * k", "x - k"),
        {"train.make"},
    ),
    "function in a closure": (
        *one_of(
            "def one(x): return x\ndef make(f):\n    def inner(x): return f(x)\n    return inner\nfit = make(one)\n",
            "return x\n",
            "return -x\n",
        ),
        {"train.one"},
    ),
    "global lambda": (*one_of("fit = lambda x: x + 1\n", "x + 1", "x + 2"), {"train.fit"}),
    "one lambda of a line": (
        *one_of("a, fit = lambda x: x + 1, lambda x: x + 2\n", "x + 2", "x + 3"),
        {"train.fit"},
    ),
    "lambdas with bound defaults": (
        *one_of("fs = [lambda x, k=k: x * k for k in (1, 2)]\ndef fit(x): return fs[1](x)\n", "(1, 2)", "(1, 3)"),
        {"train.<lambda>"},
    ),
    "decorated function": (
        *one_of(
            "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def w(x): return f(x)\n    return w\n"
            "@deco\ndef fit(x): return x + 1\n",
            "x + 1",
            "x + 2",
        ),
        {"train.fit"},
    ),
    "decorator": (
        *one_of(
            "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def w(x): return f(x)\n    return w\n"
            "@deco\ndef fit(x): return x + 1\n",
            "return f(x)",
            "return 2 * f(x)",
        ),
        {"train.deco"},
    ),
    "decorator without wraps": (
        *one_of("def deco(f):\n    return lambda x: f(x)\n@deco\ndef fit(x): return x + 1\n", "x + 1", "x + 2"),
        {"train.fit"},
    ),
    "decorator's argument": (
        *one_of("def deco(k):\n    return lambda f: lambda x: f(x) * k\n@deco(3)\ndef fit(x): return x\n", "(3)", "(4)"),
        {"train.fit", "train.deco.<locals>.<lambda>.<locals>.<lambda>"},
    ),
    "what a decorator replaced": (
        *one_of("def deco(f):\n    return 3\n@deco\ndef fit(x): return x + 1\n", "x + 1", "x + 2"),
        {"train.fit"},
    ),
    "decorator added": (
        *one_of("def deco(f): return f\n\ndef fit(x): return x\n", "\n\ndef", "\n@deco\ndef"),
        {"train.fit", "train.deco"},
    ),
    "cached function": (
        *one_of("import functools\n@functools.lru_cache(maxsize=3)\ndef fit(x): return x + 1\n", "x + 1", "x + 2"),
        {"train.fit"},
    ),
    "context manager": (
        *one_of(
            "import contextlib\n@contextlib.contextmanager\ndef cm():\n    yield 1\ndef fit(x):\n    with cm() as y: return y\n",
            "yield 1",
            "yield 2",
        ),
        {"train.cm"},
    ),
    "partial's function": (
        *one_of(
            "from functools import partial\ndef f(k, x): return k * x\nfit = partial(f, 2)\n", "k * x", "k + x"
        ),
        {"train.f"},
    ),
    "partial's argument": (
        *one_of("from functools import partial\ndef f(k, x): return k * x\nfit = partial(f, 2)\n", "f, 2", "f, 3"),
        {"train.fit"},
    ),
    "class attribute": (
        *one_of("class M:\n    rate = 1\n    def run(self): return self.rate\ndef fit(x): return M().run()\n", "1", "2"),
        {"train.M"},
    ),
    "method": (
        *one_of("class M:\n    def run(self): return 1\ndef fit(x): return M().run()\n", "return 1", "return 2"),
        {"train.M.run"},
    ),
    "inherited method": (
        *one_of(
            "class B:\n    def run(self): return 1\nclass M(B): pass\ndef fit(x): return M().run()\n", "return 1", "return 2"
        ),
        {"train.B.run"},
    ),
    "base class": (
        *one_of("class A: pass\nclass B(A): pass\nclass M(A): pass\ndef fit(x): return M()\n", "M(A)", "M(B)"),
        {"train.M", "train.B"},
    ),
    "metaclass": (
        *one_of(
            "class T(type):\n    def __call__(cls): return 1\nclass M(metaclass=T): pass\ndef fit(x): return M()\n",
            "return 1",
            "return 2",
        ),
        {"train.T.__call__"},
    ),
    "property, class method, static method": (
        *one_of(
            "class M:\n    @property\n    def p(self): return 1\n    @classmethod\n    def c(cls): return 2\n"
            "    @staticmethod\n    def s(): return 3\ndef fit(x): return M().p, M.c(), M.s()\n",
            "return",
            "return -",
        ),
        {"train.M.p", "train.M.c", "train.M.s", "train.fit"},
    ),
    "setter": (
        *one_of(
            "class M:\n    @property\n    def p(self): return 1\n    @p.setter\n    def p(self, x): self.x = 5\n"
            "def fit(x): return M()\n",
            "= 5",
            "= 6",
        ),
        {"train.M.p"},
    ),
    "cached property and partial method": (
        *one_of(
            "import functools\nclass M:\n    @functools.cached_property\n    def p(self): return one()\n"
            "    q = functools.partialmethod(lambda self, k: two(k), 3)\n"
            "def one(): return 1\ndef two(k): return 1\ndef fit(x): return M().p\n",
            "return 1",
            "return 2",
        ),
        {"train.one", "train.two"},
    ),
    "nested class": (
        *one_of(
            "class M:\n    class Config:\n        rate = 1\n    def run(self): return self.Config.rate\n"
            "def fit(x): return M().run()\n",
            "rate = 1",
            "rate = 2",
        ),
        {"train.M.Config"},
    ),
    "method added": (
        *one_of("class M:\n    a = 1\ndef fit(x): return M()\n", "a = 1\n", "a = 1\n    def __len__(self): return 1\n"),
        {"train.M.__len__"},
    ),
    "dataclass default": (
        *one_of(
            "from dataclasses import dataclass\n@dataclass\nclass C:\n    rate: float = 0.1\ndef fit(x): return C().rate\n",
            "0.1",
            "0.2",
        ),
        {"train.C"},
    ),
    "dataclass default factory": (
        *one_of(
            "from dataclasses import dataclass, field\ndef make(): return [1]\n@dataclass\nclass C:\n"
            "    rates: list = field(default_factory=make)\ndef fit(x): return C().rates\n",
            "[1]",
            "[2]",
        ),
        {"train.make"},
    ),
    "named tuple": (
        *one_of(
            "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef fit(x): return P(1, 2)\n", "x y", "x z"
        ),
        {"train.P"},
    ),
    "enum": (
        *one_of("from enum import Enum\nclass E(Enum):\n    A = 1\ndef fit(x): return E.A\n", "A = 1", "A = 2"),
        {"train.E"},
    ),
    "instance in a global": (
        *one_of(
            "class M:\n    def __init__(self, k): self.k = k\n    def run(self): return self.k\nmodel = M(3)\n"
            "def fit(x): return model.run()\n",
            "M(3)",
            "M(4)",
        ),
        {"train.model"},
    ),
    "class of an instance in a global": (
        *one_of(
            "class M:\n    def run(self): return 1\nmodel = M()\ndef fit(x): return model.run()\n", "return 1", "return 2"
        ),
        {"train.M.run"},
    ),
    "dispatch table": (
        *one_of(
            "def a(x): return 1\ndef b(x): return 2\nT = {'a': a, 'b': [b]}\ndef fit(x): return T['a'](x)\n",
            "return 2",
            "return 3",
        ),
        {"train.b"},
    ),
    "entry of a dispatch table": (
        *one_of(
            "def a(x): return 1\ndef b(x): return 2\nT = {'a': a, 'b': b}\ndef fit(x): return T['a'](x)\n",
            "'a': a",
            "'a': b",
        ),
        {"train.T", "train.a"},
    ),
    "registry": (
        *one_of(
            "R = {}\ndef register(f):\n    R[f.__name__] = f\n    return f\n@register\ndef a(x): return 1\n"
            "def fit(x): return R['a'](x)\n",
            "return 1",
            "return 2",
        ),
        {"train.a"},
    ),
    "comprehension": (
        *one_of("def one(x): return 1\ndef fit(x): return [one(i) for i in range(x)]\n", "return 1", "return 2"),
        {"train.one"},
    ),
    "nested function and lambda": (
        *one_of(
            "def one(x): return 1\ndef fit(x):\n    def inner(y): return (lambda z: one(z))(y)\n    return inner(x)\n",
            "return 1",
            "return 2",
        ),
        {"train.one"},
    ),
    "coroutine": (
        *one_of(
            "import asyncio\nasync def one(x):\n    return 1\ndef fit(x):\n    return asyncio.run(one(x))\n",
            "return 1",
            "return 2",
        ),
        {"train.one"},
    ),
    "match": (
        *one_of(
            "class P:\n    __match_args__ = ('x',)\ndef one(x): return 1\n"
            "def fit(x):\n    match x:\n        case P(y): return one(y)\n",
            "return 1",
            "return 2",
        ),
        {"train.one"},
    ),
    "class pattern": (
        *one_of("class P:\n    k = 1\ndef fit(x):\n    match x:\n        case P(): return 1\n", "k = 1", "k = 2"),
        {"train.P"},
    ),
    "getattr with a constant name": (
        *one_of("def one(x): return 1\n", "return 1", "return 2", "import train\ndef test_a(): getattr(train, 'one')(1)"),
        {"train.one"},
    ),
    "getattr with another name": (
        *one_of("def one(x): return 1\n", "return 1", "return 2", "import train\ndef test_a(n='one'): getattr(train, n)(1)"),
        {"train.one"},
    ),
    "global by subscript": (
        *one_of("def one(x): return 1\ndef fit(x): return globals()['one'](x)\n", "return 1", "return 2"),
        {"train.one"},
    ),
    "star import": (
        *one_of("RATE = 1\n", "1", "2", "from train import *\ndef test_a(): return RATE\n"),
        {"train.RATE"},
    ),
    "renamed import": (
        *one_of("def fit(x): return 1\n", "return 1", "return 2", "from train import fit as f\ndef test_a(): f(1)"),
        {"train.fit"},
    ),
    "unloaded import": (
        *one_of("def fit(x): return 1\n", "return 1", "return 2", "def test_a():\n    import train as t\n    t.fit(1)"),
        {"train.fit"},
    ),
    "unloaded constant": (
        *one_of("K = [1]\ndef fit(x): return K\n", "[1]", "[2]", "def test_a():\n    from train import fit\n    fit(1)"),
        {"train.K"},
    ),
    "unloaded class": (
        *one_of(
            "class B:\n    def run(self): return 1\nclass M(B): pass\n",
            "return 1",
            "return 2",
            "def test_a():\n    from train import M\n    M().run()",
        ),
        {"train.B.run"},
    ),
    "import by name": (
        *one_of(
            "def fit(x): return 1\n",
            "return 1",
            "return 2",
            "import importlib\ndef test_a():\n    t = importlib.import_module('train')\n    t.fit(1)",
        ),
        set(),
    ),
    "state": (
        *one_of("N = 0\ndef fit(x):\n    global N\n    N += 1\n", "N = 0", "N = 5"),
        {"train.N"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named(name, projects):
    files, edits, expected = CHANGES[name]
    assert projects.changed(files, edits) == expected


LOOKS = {
    "comment": ("return x + 1", "# why\n    return x + 1  # how"),
    "docstring": ('"""Fit."""', '"""Fit\n    well."""'),
    "no docstring": ('    """Fit."""\n', ""),
    "moved": ("def fit", "\n\n\n# far below\n\n\ndef fit"),
    "spaces": ("x + 1", "(  x+1  )"),
    "lines": ("return x + 1", "return (\n        x\n        + 1\n    )"),
    "quotes": ("'a'", '"a"'),
    "string pieces": ("'abc'", "'a' 'bc'"),
    "number's base": ("RATE = 16", "RATE = 0x1_0"),
    "unused function": ("def other(): return 1", "def other(): return 2"),
    "unused constant": ("UNUSED = 1", "UNUSED = 2"),
    "unused import": ("import math", "import math, json"),
    "order of functions": ("def other(): return 1\n", ""),
    "attribute's docstring": ("rate = 1", 'rate = 1\n    """Of learning."""'),
    "class docstring": ("class M:", 'class M:\n    """A model."""\n'),
    "prefix of a string": ("'a'", "u'a'"),
}
LOOKED_AT = """
import math
RATE = 16
UNUSED = 1
def other(): return 1
class M:
    rate = 1
def fit(x):
    \"""Fit.\"""
    M(), 'a', 'abc', RATE
    return x + 1
"""


@pytest.mark.parametrize("name", LOOKS)
def test_looks_don_t_count(name, projects):
    assert projects.changed(*one_of(LOOKED_AT, *LOOKS[name])) == set()


def test_parts_are_named_and_placed(projects):
    found = projects.fingerprint(
        {
            "test_m.py": "import numpy as np\nfrom pkg import train\ndef test_a():\n    train.fit(np.zeros(2))\n",
            "pkg/__init__.py": "",
            "pkg/train.py": "from .help import RATE\n\n\nclass M:\n    pass\n\n\n@staticmethod\ndef fit(x):\n    return M, RATE\n",
            "pkg/help.py": "# rates\nRATE = 1\n",
        }
    )
    places = {name: (part.kind, part.text) for name, part in found.parts}
    version = places.pop("package numpy")
    assert places == {
        "test_m.test_a": ("function", "test_m.py:3"),
        "pkg.train.fit": ("function", "pkg/train.py:9"),
        "pkg.train.M": ("class", "pkg/train.py:4"),
        "pkg.help.RATE": ("constant", "pkg/help.py:2"),
    }
    assert version[0] == "package"
    assert version[1][0].isdigit()


def test_a_function_that_moves_to_another_module_is_another_part(projects):
    before = projects.fingerprint({"test_m.py": TEST, "train.py": "def fit(x): return 1\n"})
    after = projects.fingerprint(
        {"test_m.py": TEST, "train.py": "from other import fit\n", "other.py": "def fit(x): return 1\n"}
    )
    assert set(before.diff(after)) == {"train.fit", "other.fit"}


def test_packages_count_by_version(projects, monkeypatch):
    from pytest_mlrepro.fingerprints.code import packages

    files = {"test_m.py": "import numpy as np\ndef test_a(): return np.zeros(2)\n"}
    before = projects.fingerprint(files)
    packages.packages_of.cache_clear()
    monkeypatch.setattr(packages.metadata, "version", lambda name: "0.0.1")
    after = projects.fingerprint(files)
    packages.packages_of.cache_clear()
    assert before.diff(after) == ("package numpy",)
    assert dict(after.parts)["package numpy"].text == "0.0.1"


@pytest.mark.parametrize(
    "test",
    [
        "def test_a():\n    import numpy.linalg\n",
        "from numpy import pi\ndef test_a(): return pi\n",
        "from numpy.linalg import norm\ndef test_a(): return norm\n",
        "import numpy\nclass A(numpy.ndarray): pass\ndef test_a(): return A\n",
        "import numpy\nx = numpy.zeros(2)\ndef test_a(): return x\n",
        "import numpy\n@numpy.vectorize\ndef test_a(): return 1\n",
        "from numpy import *\ndef test_a(): return zeros(2)\n",
    ],
)
def test_packages_are_found_through(test, projects):
    assert "package numpy" in dict(projects.fingerprint({"test_m.py": test}).parts)


def test_python_itself_is_no_package(projects):
    found = projects.fingerprint(
        {
            "test_m.py": "import json, os.path, collections.abc\nclass A(dict): pass\ndef test_a(): return json.loads, os, A\n"
        }
    )
    assert [name for name, _ in found.parts] == ["test_m.A", "test_m.test_a"]


TESTS_OF_A_CLASS = """
class Base:
    def helper(self): return self.deep()
    def deep(self): return 1
    def spare(self): return 1
class TestX(Base):
    rate = 1
    def setup_method(self): self.x = 1
    def test_a(self): return self.helper()
    def test_b(self): return 2
"""


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("self.deep()", "self.deep() + 1"), {"test_m.Base.helper"}),
        (("deep(self): return 1", "deep(self): return 2"), {"test_m.Base.deep"}),
        (("rate = 1", "rate = 2"), {"test_m.TestX"}),
        (("self.x = 1", "self.x = 2"), {"test_m.TestX.setup_method"}),
        (("return 2", "return 3"), set()),
        (("spare(self): return 1", "spare(self): return 2"), set()),
    ],
)
def test_other_tests_of_the_class_don_t_count(edit, expected, projects):
    files = {"test_m.py": TESTS_OF_A_CLASS}
    for root in (lambda module: module.TestX.test_a, lambda module: module.TestX().test_a):
        assert projects.changed(files, {"test_m.py": edit}, root=root) == expected


def test_script_is_named_by_its_file(tmp_path):
    import runpy
    import sys

    path = tmp_path / "train.py"
    path.write_text(
        "from pytest_mlrepro.fingerprints.code import fingerprint_code\nRATE = 1\ndef fit(): return RATE\n"
        f"found = fingerprint_code([fit], project={str(tmp_path)!r})\n",
        "utf-8",
    )
    main = sys.modules["__main__"]
    try:
        found = runpy.run_path(str(path), run_name="__main__")["found"]
    finally:
        sys.modules["__main__"] = main
    assert {name.partition(".")[2] for name, _ in found.parts} == {"fit", "RATE"}


def test_project_of(tmp_path, projects):
    root = projects.write(
        {"pyproject.toml": "", "src/pkg/__init__.py": "", "src/pkg/m.py": "def f(): pass\nclass A: pass\n"}
    )
    with projects.imported(root / "src", "pkg.m") as module:
        assert project_of(module.f) == project_of(module.A) == project_of(module) == root.resolve()
        assert fingerprint_code([module.f], project=project_of(module.f)).parts[0][1].text == "src/pkg/m.py:1"


NAMES = st.sampled_from(["x", "rate", "fit", "y"])
SOURCES = st.sampled_from(
    [ast.get_source_segment(text, node) for text in [Path(ast.__file__).read_text("utf-8")] for node in ast.parse(text).body
     if isinstance(node, ast.FunctionDef | ast.ClassDef)]
)  # fmt: skip


def loosened(source, rng):
    """Put blank lines and comments between statements, wherever a line begins one."""
    starts = {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)}
    lines = []
    for number, line in enumerate(source.splitlines(), 1):
        if number in starts and rng.random() < 0.5:
            lines += ["", " " * rng.randrange(20) + "# note"]
        lines.append(line)
    return "\n".join(lines)


@settings(deadline=None, max_examples=60)
@given(SOURCES, st.randoms(use_true_random=False))
def test_any_reformatting_leaves_the_digest(source, rng):
    tree = ast.parse(source)
    for text in (ast.unparse(tree), loosened(source, rng)):
        assert syntax_digest([ast.parse(text)]) == syntax_digest([tree])


@settings(deadline=None, max_examples=60)
@given(SOURCES, st.randoms(use_true_random=False))
def test_any_other_constant_changes_the_digest(source, rng):
    tree = ast.parse(source)
    before = syntax_digest([tree])
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in strings]
    if constants:
        node = rng.choice(constants)
        node.value = (node.value, 1)[1] if node.value != 1 or node.value is True else 2
        assert syntax_digest([tree]) != before


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 11), st.integers(1, 10**6))
def test_one_edited_constant_changes_one_part(tmp_path_factory, at, number):
    projects = Projects(tmp_path_factory.mktemp("chain"))
    lines = [f"K{i} = {i}\ndef f{i}(x, d={i}): return f{i + 1}(x) + K{i} + {i}0\n" for i in range(4)]
    text = "".join(lines).replace("f4(x)", "x").replace("f0(", "fit(")
    kinds = [("K", f"K{at // 3} = {at // 3}\n", f"K{at // 3} = -{number}\n"), ("f", f"d={at // 3}", f"d=-{number}"),
             ("f", f" {at // 3}0\n", f" -{number}\n")]  # fmt: skip
    kind, old, new = kinds[at % 3]
    name = f"train.{kind}{at // 3}".replace("f0", "fit")
    assert projects.changed(*one_of(text, old, new)) == {name}


def test_order_of_roots_and_their_number_don_t_count(projects):
    root = projects.write({"test_m.py": "def a(): return b\ndef b(): return 1\n"})
    with projects.imported(root) as module:
        roots = [module.a, module.b]
        random.Random(0).shuffle(roots)
        digests = {fingerprint_code(some, project=root).digest for some in (roots, roots[::-1], [module.a], roots * 2)}
    assert len(digests) == 1
