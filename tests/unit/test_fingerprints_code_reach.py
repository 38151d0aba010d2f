"""What code reaches, by every way that one piece can lead to another."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.fingerprints.code import fingerprint_code
from tests.unit.code_projects import Projects

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def projects(tmp_path):
    return Projects(tmp_path)


def reached(projects, files, **options):
    return {name for name, _ in projects.fingerprint(files, **options).parts}


PACKAGE = {
    "pkg/__init__.py": "LEVEL = 1\nfrom .sub import deep as far\nfrom . import sub\n",
    "pkg/sub/__init__.py": "from .deep import fit\nfrom ..top import *\n",
    "pkg/sub/deep.py": "from .. import LEVEL\nfrom ..top import helper as h\ndef fit(x): return h(x) + LEVEL\n",
    "pkg/top.py": "__all__ = ['helper', 'OPEN']\nOPEN = 1\ndef helper(x): return x\ndef hidden(x): return x\n",
    "ns/inner.py": "def fit(x): return 1\n",
}
FIT = {"pkg.sub.deep.fit", "pkg.top.helper", "pkg.LEVEL"}
IMPORTS = {
    "import pkg.sub.deep\ndef test_a(): pkg.sub.deep.fit(1)": FIT,
    "import pkg.sub.deep as d\ndef test_a(): d.fit(1)": FIT,
    "from pkg.sub import deep\ndef test_a(): deep.fit(1)": FIT,
    "from pkg.sub.deep import fit\ndef test_a(): fit(1)": FIT,
    "from pkg.sub import fit\ndef test_a(): fit(1)": FIT,
    "import pkg\ndef test_a(): pkg.far.fit(1)": FIT,
    "import pkg\ndef test_a(): pkg.sub.fit(1)": FIT,
    "from pkg.sub import *\ndef test_a(): fit(1)": FIT,
    "from pkg.sub import *\ndef test_a(): return OPEN": {"pkg.top.OPEN"},
    "from pkg.top import hidden\ndef test_a(): return hidden": {"pkg.top.hidden"},
    "import ns.inner\ndef test_a(): ns.inner.fit(1)": {"ns.inner.fit"},
    "try:\n    from nothing import fit\nexcept ImportError:\n    from pkg.sub import fit\ndef test_a(): fit(1)": FIT,
    "def test_a():\n    import pkg.sub.deep\n    pkg.sub.deep.fit(1)": FIT,
    "def test_a():\n    import pkg.sub.deep as d\n    d.fit(1)": FIT,
    "def test_a():\n    from pkg.sub import deep\n    deep.fit(1)": FIT,
    "def test_a():\n    from pkg import sub\n    sub.fit(1)": FIT,
    "def test_a():\n    from pkg.sub import OPEN\n    return OPEN": {"pkg.top.OPEN"},
    "def test_a():\n    import ns.inner\n    ns.inner.fit(1)": {"ns.inner.fit"},
    "def test_a():\n    def inner():\n        from pkg.sub.deep import fit\n        return fit(1)\n    inner()": FIT,
    "import sys\ndef test_a():\n    if sys.flags.debug:\n        from pkg.sub.deep import fit\n        fit(1)": FIT,
}


@pytest.mark.parametrize("test", IMPORTS)
def test_imports_of_any_form(test, projects):
    assert reached(projects, {**PACKAGE, "test_m.py": test}) - {"test_m.test_a"} == IMPORTS[test]


WAYS = {
    "single dispatch": (
        """
        import functools
        @functools.singledispatch
        def show(x): return helper(x)
        @show.register
        def _(x: int): return other(x)
        def helper(x): return 1
        def other(x): return 2
        def test_a(): return show(1)
        """,
        {"show", "_", "helper", "other"},
    ),
    "abstract, generic and protocol classes": (
        """
        import abc, typing
        T = typing.TypeVar("T")
        class A(abc.ABC):
            @abc.abstractmethod
            def run(self): ...
        class G(typing.Generic[T]):
            def make(self): return helper()
        class P(typing.Protocol):
            def run(self): ...
        class M(A, G[int], P):
            def run(self): return 1
        def helper(): return 1
        def test_a(x: P): return M().run()
        """,
        {"A", "A.run", "G", "G.make", "P", "P.run", "M", "M.run", "helper", "T"},
    ),
    "what pytest wraps": (
        """
        import pytest
        @pytest.fixture
        def data(): return helper()
        @pytest.fixture(params=[1])
        def more(data): return data
        def make(): return 1
        def helper(): return 1
        @pytest.mark.parametrize("m", [make])
        def test_a(data, m): return more
        """,
        {"make", "more"},
    ),
    "callable instances": (
        """
        class Add:
            def __init__(self, f): self.f = f
            def __call__(self, x): return self.f(x)
        def one(x): return x
        add = Add(one)
        def test_a(): return add(1)
        """,
        {"Add", "Add.__init__", "Add.__call__", "one", "add"},
    ),
    "a class as a decorator": (
        """
        class Timed:
            def __init__(self, f): self.f = f
            def __call__(self, x): return self.f(x)
        @Timed
        def fit(x): return helper(x)
        def helper(x): return x
        def test_a(): return fit(1)
        """,
        {"Timed", "Timed.__init__", "Timed.__call__", "fit", "helper"},
    ),
    "stacked decorators and a decorated class": (
        """
        import functools
        def a(f): return functools.wraps(f)(lambda x: f(x))
        def b(k):
            def outer(f):
                @functools.wraps(f)
                def inner(x): return f(x) + k
                return inner
            return outer
        def c(kind): return kind
        @a
        @b(2)
        @functools.lru_cache(maxsize=None)
        def fit(x): return 1
        @c
        class M: pass
        def test_a(): return fit(1), M
        """,
        {"a", "b", "c", "fit", "M", "b.<locals>.outer.<locals>.inner"},
    ),
    "descriptors and slots": (
        """
        class Field:
            def __set_name__(self, owner, name): self.name = name
            def __get__(self, instance, owner): return helper()
        class M:
            __slots__ = ("x",)
            rate = Field()
        def helper(): return 1
        def test_a(): return M().rate
        """,
        {"Field", "Field.__set_name__", "Field.__get__", "M", "helper"},
    ),
    "hooks of subclassing": (
        """
        class Base:
            def __init_subclass__(cls): helper()
        def helper(): return 1
        class M(Base): pass
        def test_a(): return M()
        """,
        {"Base", "Base.__init_subclass__", "M", "helper"},
    ),
    "super and methods of other classes": (
        """
        class A:
            def run(self): return helper()
        class B(A):
            def run(self): return super().run()
        def helper(): return 1
        def test_a(): return B.run(B())
        """,
        {"A", "A.run", "B", "B.run", "helper"},
    ),
    "functions as default values and arguments of partials": (
        """
        from functools import partial
        def one(x): return 1
        def two(x): return 2
        def three(x): return 3
        def apply(f, g=one, *, h=two): return f, g, h
        ready = [partial(partial(apply, three), g=max)]
        def test_a(): return ready[0]()
        """,
        {"one", "two", "three", "apply", "ready"},
    ),
    "context managers and generators": (
        """
        class Open:
            def __enter__(self): return helper()
            def __exit__(self, *rest): return None
        def helper(): return 1
        def items():
            yield from others()
        def others():
            yield 1
        def test_a():
            with Open() as x, Open():
                return [*items()], {i: j for i in items() for j in others() if i}
        """,
        {"Open", "Open.__enter__", "Open.__exit__", "helper", "items", "others"},
    ),
    "walrus, global, del, try, assert, f-string, starred, lambda": (
        """
        def a(): return 1
        def b(): return 1
        def c(): return 1
        def d(): return 1
        def e(): return 1
        class Oops(Exception): pass
        def test_a():
            global LATE
            if (n := a()) and f"{b():{c()}}":
                LATE = n
            try:
                assert d(), e()
            except Oops:
                return (lambda *k: k)(*[n])
        """,
        {"a", "b", "c", "d", "e", "Oops"},
    ),
    "locals that hide globals": (
        """
        def hidden(): return 1
        rate = 1
        def test_a(hidden, *, k=0):
            rate = hidden()
            return [rate for rate in range(3)], (lambda rate: rate)(1), self_rate(k)
        def self_rate(k): return k.rate
        """,
        {"self_rate"},
    ),
    "classes inside functions": (
        """
        def helper(): return 1
        def make():
            class Inner:
                def run(self): return helper()
            return Inner
        M = make()
        def test_a(): return M().run()
        """,
        {"make", "M", "helper"},
    ),
    "monkeypatching": (
        """
        import test_m
        def helper(): return 1
        def spare(): return 1
        def test_a(monkeypatch=None):
            monkeypatch.setattr(test_m, "helper", lambda: 2)
        """,
        {"helper"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_ways(name, projects):
    text, expected = WAYS[name]
    found = reached(projects, {"test_m.py": text})
    own = {part.removeprefix("test_m.") for part in found if part.startswith("test_m.")} - {"test_a"}
    assert {part for part in own if "<lambda>" not in part} == expected


def test_fixtures_as_roots(projects):
    files = {
        "test_m.py": "import pytest\n@pytest.fixture\ndef data(): return helper()\ndef helper(): return 1\n"
        "class TestX:\n    @pytest.fixture\n    def own(self): return helper()\n    def test_b(self, own): return 1\n"
    }
    assert reached(projects, files, root=lambda module: module.data) >= {"test_m.data", "test_m.helper"}
    assert reached(projects, files, root=lambda module: vars(module.TestX)["own"]) >= {
        "test_m.TestX.own",
        "test_m.helper",
    }


def test_pytest_s_rewriting_of_assertions_changes_nothing(projects):
    test = """
        import pathlib
        import train
        from pytest_mlrepro.fingerprints.code import fingerprint_code

        def test_a():
            assert train.fit(2) == 3 and (lambda x: x)(1), [lambda y: y for y in (1,)]
            fs = [lambda x: x + 1, lambda x: x + 2]
            assert all(f(1) for f in fs), "some"
            write()

        def write():
            found = fingerprint_code([test_a], project=pathlib.Path(__file__).parent)
            pathlib.Path("found.txt").write_text("\\n".join(f"{name} {part.digest}" for name, part in found.parts))
    """
    files = {"test_m.py": test, "train.py": "K = 1\ndef fit(x): return x + K\n"}
    root = projects.write(files)
    with projects.imported(root) as module:
        plain = fingerprint_code([module.test_a], project=root)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_m.py"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = dict(line.split(" ") for line in (root / "found.txt").read_text().splitlines() if "package" not in line)
    assert found == {name: part.digest for name, part in plain.parts if part.kind != "package"}


def test_an_extension_built_in_the_project_counts_by_its_file(projects):
    """A copy of one of Python's own extension modules, as if the project had built it."""
    import zlib

    loaded = getattr(zlib, "__file__", None) or importlib.import_module("_json").__file__
    if not loaded or not loaded.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)):
        pytest.skip("this Python has its extensions built in")
    name = Path(loaded).name.partition(".")[0]
    root = projects.write({"test_m.py": f"import {name} as built\nf = next(v for v in vars(built).values() if callable(v) "
                           "and getattr(v, '__module__', '') == built.__name__)\ndef test_a(): return f\n"})  # fmt: skip
    target = root / Path(loaded).name
    target.write_bytes(Path(loaded).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); import test_m\n"
         "from pytest_mlrepro.fingerprints.code import fingerprint_code\n"
         f"[print(n, p.kind, p.text) for n, p in fingerprint_code([test_m.test_a], project={str(root)!r}).parts]"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"{name} extension {target.name}" in done.stdout.splitlines()


def test_modules_of_an_editable_install_are_found_before_they_are_imported(projects, monkeypatch):
    """As setuptools does it: a finder that maps names to folders."""
    away = projects.write({"mapped/__init__.py": "from .deep import fit\n", "mapped/deep.py": "def fit(x): return 1\n"})

    class _EditableFinder:
        @classmethod
        def find_spec(cls, name, path=None, target=None):
            if name == "mapped":
                return importlib.util.spec_from_file_location(
                    name, away / "mapped" / "__init__.py", submodule_search_locations=[str(away / "mapped")]
                )
            return None

    _EditableFinder.__module__ = "__editable___mapped_finder"
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, _EditableFinder])
    assert "mapped.deep.fit" in reached(projects, {"test_m.py": "def test_a():\n    import mapped\n    mapped.fit(1)"})
    assert "mapped" not in sys.modules


def test_every_python_names_the_same_parts(projects):
    """Known answers of whole projects, the same on every version of Python that runs this."""
    files = {
        "test_m.py": """
            import functools
            from dataclasses import dataclass
            fs = [lambda x, k=k: x * k for k in (1, 2)]
            scale = functools.partial(pow, 2)
            @dataclass(frozen=True)
            class C:
                rate: float = 0.1
                @functools.cached_property
                def half(self): return self.rate / 2
            def make(k):
                def inner(x): return x * k
                return inner
            triple = make(3)
            def test_a(*, c=C(), n=(1, -0.0, 2j, b"x", None, ...)):
                return fs, scale, triple(c.half), f"{n!r:>{len(n)}}"
        """
    }
    assert projects.fingerprint(files).digest == DIGEST


DIGEST = "mlrepro1-blake3:983f2c22871339cc12c588d56d74b2a28352a5c5a7aad3eff93f8013fad366f6"


def test_a_bound_method_brings_what_its_object_holds(projects):
    files = {
        "test_m.py": "class Inner:\n    def run(self): return 1\nclass M:\n    def __init__(self): self.inner = Inner()\n"
        "    def fit(self): return self.inner.run()\n    def other(self): return 2\n"
    }
    found = reached(projects, files, root=lambda module: module.M().fit)
    assert found == {"test_m.M", "test_m.M.__init__", "test_m.M.fit", "test_m.Inner", "test_m.Inner.run"}
