"""Code that is broken, hostile, generated, edited while it runs, or of no file at all."""

from __future__ import annotations

import linecache
import os
import subprocess
import sys
import types
import venv
from pathlib import Path
from textwrap import dedent
from unittest import mock

import pytest

from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.fingerprints.code import fingerprint_code
from tests.unit.code_projects import Projects


@pytest.fixture
def projects(tmp_path):
    return Projects(tmp_path)


def names(found):
    return [name for name, _ in found.parts]


HOSTILE = """
    import types

    class Meta(type):
        def __getattr__(cls, name): raise RuntimeError(f"metaclass asked for {name}")
        def __eq__(cls, other): raise RuntimeError("compared")
        def __hash__(cls): raise RuntimeError("hashed")
        def __instancecheck__(cls, other): raise RuntimeError("checked")

    class Broken(metaclass=Meta):
        def __getattribute__(self, name): raise RuntimeError(f"asked for {name}")
        def __eq__(self, other): raise RuntimeError("compared")
        def __hash__(self): raise RuntimeError("hashed")
        def __bool__(self): raise RuntimeError("asked")
        def __len__(self): raise RuntimeError("measured")
        def __iter__(self): raise RuntimeError("walked")
        def __repr__(self): raise RuntimeError("shown")
        def run(self): return 1
        @property
        def __class__(self): raise RuntimeError("class asked")
        @property
        def __module__(self): raise RuntimeError("module asked")
        @property
        def __dict__(self): raise RuntimeError("dict asked")

    broken = Broken()
    several = [broken, {"a": broken}, (1, broken)]

    class Lying(dict):
        def keys(self): raise RuntimeError("keys asked")
        def items(self): raise RuntimeError("items asked")
        def __iter__(self): raise RuntimeError("walked")

    lying = Lying(a=1)

    class Attributes:
        @property
        def heavy(self): raise RuntimeError("property asked")
        __slots__ = ("unset", "kept")

    slotted = Attributes()
    slotted.kept = lambda: helper()

    def helper(): return 1

    class Holder:
        member = broken
        also = staticmethod(helper)

    class Nameless:
        __module__ = 3

    class TestX:
        member = broken
        def test_b(self): return self.member, Holder, Nameless

    def test_a():
        return broken, several, lying, slotted, Holder, Nameless
"""


def test_broken_objects_are_looked_at_without_waking_them(projects):
    files = {"test_m.py": HOSTILE}
    found = projects.fingerprint(files)
    expected = {
        "broken",
        "several",
        "lying",
        "slotted",
        "Broken",
        "Broken.run",
        "Meta",
        "Lying",
        "Attributes",
        "helper",
    }
    assert {f"test_m.{name}" for name in expected} <= set(names(found))
    more = projects.fingerprint(files, root=lambda module: module.TestX.test_b)
    assert {"test_m.TestX", "test_m.Holder", "test_m.helper"} <= set(names(more))
    assert projects.changed(files, {"test_m.py": ("def run(self): return 1", "def run(self): return 2")}) == {
        "test_m.Broken.run"
    }


LAZY = """
    import sys, types
    asked = []
    def __getattr__(name):
        asked.append(name)
        return globals()[f"_{name}"]
    def _fit(x): return 1
"""


def test_lazy_modules_are_not_woken(projects):
    root = projects.write(
        {
            "lazy.py": LAZY,
            "test_m.py": "import lazy\ndef test_a(): return lazy.fit(1), lazy.heavy, getattr(lazy, 'more')\n",
        }
    )
    with projects.imported(root) as module:
        found = fingerprint_code([module.test_a], project=root)
        assert module.lazy.asked == []
    assert "lazy.__getattr__" in names(found)


def test_lazy_module_classes_are_not_woken(projects):
    root = projects.write({"test_m.py": "import fancy\ndef test_a(): return fancy.anything\n"})

    class Lazy(types.ModuleType):
        def __getattribute__(self, name):
            if not name.startswith("__"):
                raise RuntimeError(f"woken by {name}")
            return super().__getattribute__(name)

    sys.modules["fancy"] = Lazy("fancy")
    try:
        with projects.imported(root) as module:
            fingerprint_code([module.test_a], project=root)
    finally:
        sys.modules.pop("fancy", None)


def test_mocks_are_looked_at_and_not_called(projects):
    root = projects.write({"test_m.py": "def helper(): return 1\ndef test_a(): return fake\nfake = None\n"})
    with projects.imported(root) as module:
        module.fake = mock.MagicMock(side_effect=module.helper, spec=dict)
        found = fingerprint_code([module.test_a], project=root)
        assert module.fake.mock_calls == []
    assert "test_m.helper" in names(found)


def test_function_without_source_counts_by_its_bytecode(projects):
    files = {
        "test_m.py": "space = {'__name__': 'test_m'}\nexec('K = 2\\ndef made(x): return x + K', space)\n"
        "made = space['made']\ndef test_a(): return made(1)\n"
    }
    found = projects.fingerprint(files)
    part = dict(found.parts)["test_m.made"]
    assert part.kind == "bytecode"
    assert "without source" in part.text
    assert projects.changed(files, {"test_m.py": ("x + K", "x - K")}) == {"test_m.made"}
    assert projects.changed(files, {"test_m.py": ("return x", "return  x")}) == set()


def test_the_text_of_python_c_is_not_that_of_other_code(projects, monkeypatch):
    text = "def made(x): return 0\n"
    monkeypatch.setitem(linecache.cache, "<string>", (len(text), None, [text], "<string>"))
    files = {"test_m.py": "exec('def made(x): return x + 1')\ndef test_a(): return made(1)\n"}
    assert dict(projects.fingerprint(files).parts)["test_m.made"].kind == "bytecode"
    assert projects.changed(files, {"test_m.py": ("x + 1", "x + 2")}) == {"test_m.made"}


def test_generated_methods_don_t_count(projects):
    files = {
        "test_m.py": """
            from dataclasses import dataclass
            from typing import NamedTuple
            from enum import Enum
            @dataclass(order=True)
            class A:
                x: int = 1
            class B(NamedTuple):
                y: int = 2
            class C(Enum):
                Z = 3
            def test_a(): return A, B, C
        """
    }
    found = projects.fingerprint(files)
    assert names(found) == ["test_m.A", "test_m.B", "test_m.C", "test_m.test_a"]


def test_missing_and_broken_files(projects):
    root = projects.write(
        {"test_m.py": "import gone\ndef test_a(): return gone.fit(1)\n", "gone.py": "def fit(x): return 1\n"}
    )
    with projects.imported(root) as module:
        before = fingerprint_code([module.test_a], project=root)
        linecache.clearcache()
        (root / "gone.py").write_text("def fit(x: return 1", "utf-8")
        broken = dict(fingerprint_code([module.test_a], project=root).parts)
        (root / "gone.py").unlink()
        missing = dict(fingerprint_code([module.test_a], project=root).parts)
    assert dict(before.parts)["gone.fit"].kind == "function"
    assert broken["gone.fit"].kind == missing["gone.fit"].kind == "bytecode"


def test_a_file_that_was_edited_and_not_imported_again_is_seen(projects):
    root = projects.write(
        {"test_m.py": "import late\ndef test_a(): return late.fit(1)\n", "late.py": "def fit(x): return 1\n"}
    )
    with projects.imported(root) as module:
        before = dict(fingerprint_code([module.test_a], project=root).parts)
        (root / "late.py").write_text("# moved down\n\ndef fit(x): return 1\n", "utf-8")
        moved = dict(fingerprint_code([module.test_a], project=root).parts)
        (root / "late.py").write_text("def fit(x): return 2\n", "utf-8")
        edited = dict(fingerprint_code([module.test_a], project=root).parts)
    assert moved["late.fit"].digest == before["late.fit"].digest
    assert edited["late.fit"].kind == "bytecode"
    assert edited["late.fit"].text == "late.py:1 (changed since it was imported)"


def test_a_reloaded_module_is_read_again(projects):
    import importlib

    root = projects.write(
        {"test_m.py": "import late\ndef test_a(): return late.fit\n", "late.py": "def fit(x=1): return x\n"}
    )
    with projects.imported(root) as module:
        before = fingerprint_code([module.test_a], project=root)
        (root / "late.py").write_text("def fit(x=2): return x\n", "utf-8")
        sys.dont_write_bytecode, kept = True, sys.dont_write_bytecode
        for cached in (root / "__pycache__").glob("late*"):
            cached.unlink()
        importlib.reload(module.late)
        sys.dont_write_bytecode = kept
        after = fingerprint_code([module.test_a], project=root)
    assert before.diff(after) == ("late.fit",)


def test_cells_of_a_notebook_have_their_text_in_linecache(tmp_path):
    space = {"__name__": "__main__"}
    for number, text in enumerate(
        ["K = 1\n", "def helper(x):\n    return x + K\n", "class M:\n    def f(self): return helper(1)\n"]
    ):
        name = f"<ipython-input-{number}-0123456789ab>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(text, name, "exec"), space)
    found = dict(fingerprint_code([space["M"].f, space["helper"]], project=tmp_path).parts)
    kinds = {name.partition(".")[2]: part.kind for name, part in found.items()}
    assert kinds["helper"] == "function"
    assert kinds["K"] == "constant"


def test_values_of_this_machine_don_t_count(projects):
    files = {
        "test_m.py": """
            import os, logging, threading, random, tempfile
            from pathlib import Path
            HERE = Path(__file__).parent
            TEXT = os.path.dirname(__file__)
            DATA = HERE / "data" / "x.csv"
            HOME = Path(tempfile.mkdtemp())
            LOG = logging.getLogger(__name__)
            LOCK = threading.Lock()
            RNG = random.Random(0)
            def test_a(): return HERE, TEXT, DATA, HOME, LOG, LOCK, RNG, __file__, __name__
        """
    }
    before, after = projects.fingerprint(files), projects.fingerprint(files)
    assert before.diff(after) == ()
    assert projects.changed(files, {"test_m.py": ("x.csv", "y.csv")}) == {"test_m.DATA"}
    assert projects.changed(files, {"test_m.py": ("Random(0)", "Random(1)")}) == {"test_m.RNG"}


def test_use_of_state_doesn_t_count(projects):
    text = """
        import functools, random
        _cache = {}
        COUNT = 0
        RNG = random.Random(0)
        class Model:
            def __init__(self): self.n = 0
        MODEL = Model()
        def counter():
            n = 0
            seen = []
            def count():
                nonlocal n
                n += 1
                seen.append(n)
                return n
            return count
        count = counter()
        @functools.lru_cache
        def slow(x): return x
        def default(x, into=[]):
            into.append(x)
        def test_a():
            global COUNT
            COUNT += 1
            _cache[COUNT] = RNG.random()
            MODEL.n += 1
            return count(), slow(COUNT), default(COUNT)
    """
    root = projects.write({"test_m.py": text})
    with projects.imported(root) as module:
        before = fingerprint_code([module.test_a], project=root)
        module.test_a()
        module.test_a()
        assert before.diff(fingerprint_code([module.test_a], project=root)) == ()


def test_large_arrays_and_models_in_globals(projects):
    files = {"test_m.py": "import numpy as np\nW = np.zeros(1_000_000)\nW[3] = 1\ndef test_a(): return W\n"}
    assert projects.changed(files, {"test_m.py": ("W[3]", "W[4]")}) == {"test_m.W"}


def test_models_of_a_library_in_globals(projects):
    torch = pytest.importorskip("torch")
    assert torch
    files = {
        "test_m.py": """
            import torch
            class Net(torch.nn.Module):
                def __init__(self):
                    super().__init__()
                    self.act = Act()
                def forward(self, x): return self.act(x)
            class Act(torch.nn.Module):
                def forward(self, x): return x * 2
            torch.manual_seed(0)
            NET = torch.nn.Sequential(Net())
            @torch.no_grad()
            def test_a(): return NET(torch.ones(2))
        """
    }
    assert "test_m.test_a" in names(projects.fingerprint(files))
    assert projects.changed(files, {"test_m.py": ("x * 2", "x * 3")}) == {"test_m.Act.forward"}
    assert projects.changed(files, {"test_m.py": ("torch.ones(2)", "torch.ones(3)")}) == {"test_m.test_a"}


def test_circular_imports_and_references(projects):
    files = {
        "test_m.py": "import a\ndef test_a(): return a.f(1)\n",
        "a.py": "import b\ndef f(x): return b.g(x)\nT = []\nT.append(T)\nD = {'t': T, 'f': f}\n",
        "b.py": "import a\ndef g(x): return x and a.f(x - 1), a.T, a.D\n",
    }
    assert projects.changed(files, {"b.py": ("x - 1", "x - 2")}) == {"b.g"}


def test_deep_expressions(projects):
    files = {"test_m.py": "def test_a(x=0):\n    return " + " + ".join(["x"] * 900) + "\n"}
    assert names(projects.fingerprint(files)) == ["test_m.test_a"]


def test_imports_that_can_t_be_found_are_left_alone(projects):
    text = """
        def test_a():
            try:
                import nothing.at.all
                from . import relative
                from ..beyond import more
                import broken
            except ImportError:
                return None
    """
    found = projects.fingerprint({"test_m.py": text, "broken.py": "def ("})
    assert names(found) == ["test_m.test_a"]


def test_unloaded_modules_are_read_and_not_run(projects):
    root = projects.write(
        {
            "test_m.py": "def test_a():\n    import pkg.deep as d\n    from pkg import helper\n    return d.fit(1), helper\n",
            "pkg/__init__.py": "from .help import *\nraise RuntimeError('imported')\n",
            "pkg/deep.py": "from .help import K\nfrom . import help as h\ndef fit(x): return x + K + h.helper(x)\n",
            "pkg/help.py": "K = 1\ndef helper(x): return x\ndef spare(): return 1\n",
        }
    )
    with projects.imported(root) as module:
        found = fingerprint_code([module.test_a], project=root)
        assert "pkg" not in sys.modules
    assert names(found) == ["pkg.deep.fit", "pkg.help.K", "pkg.help.helper", "test_m.test_a"]


def test_loaded_or_not_is_one_digest(projects):
    files = {
        "test_m.py": "import sys\nif LOAD: import late\ndef test_a():\n    import late\n    return late.fit(1)\n",
        "late.py": "K = [1, 'a']\nA = B = 2.5\ndef fit(x): return x + K[0] + A + M().run()\n"
        "class M:\n    rate: int = 1\n    def run(self): return self.rate\n",
    }
    found = [
        projects.fingerprint({**files, "test_m.py": files["test_m.py"].replace("LOAD", load)})
        for load in ("True", "False")
    ]
    assert found[0].digest == found[1].digest


def test_no_project_is_a_mistake():
    with pytest.raises(UsageError, match="project is empty"):
        fingerprint_code([], project=[])
    assert fingerprint_code([], project=".").parts == ()


def test_roots_of_any_kind_are_taken(projects):
    import functools

    root = projects.write({"test_m.py": "def f(x): return 1\nclass A:\n    def g(self): return f(1)\n"})
    with projects.imported(root) as module:
        for value in (
            functools.partial(module.f, 1),
            module.A,
            module.A(),
            module.A().g,
            functools.lru_cache(module.f),
            staticmethod(module.f),
            module,
            [module.f],
        ):
            assert "test_m.f" in names(fingerprint_code([value], project=root)), value
        for value in (None, 1, "text", len, object()):
            assert fingerprint_code([value], project=root).parts == ()


def test_installed_code_counts_by_version_and_an_editable_install_by_its_code(tmp_path):
    """A real environment: one package installed as a copy of an index would be, one editable, one from a folder."""
    venv.create(tmp_path / "env", with_pip=False)
    (site,) = (tmp_path / "env").glob("lib/python*/site-packages")
    edit = tmp_path / "elsewhere"
    edit.mkdir()
    code = "RATE = 1\ndef fit(x): return x + RATE\n"
    for name, url in (
        ("copied", None),
        ("edited", '{"dir_info": {"editable": true}, "url": "file:///x"}'),
        ("local", '{"dir_info": {}, "url": "file:///x"}'),
    ):
        (edit if name == "edited" else site).joinpath(f"{name}.py").write_text(code, "utf-8")
        info = site / f"{name}-1.5.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n", "utf-8")
        info.joinpath("top_level.txt").write_text(name, "utf-8")
        info.joinpath("RECORD").write_text("", "utf-8")
        if url:
            info.joinpath("direct_url.json").write_text(url, "utf-8")
    (site / "edited.pth").write_text(str(edit), "utf-8")
    ours = Path(__file__).parent.parent.parent
    (site / "ours.pth").write_text(
        "\n".join([str(ours), *[p for p in sys.path if p.endswith("site-packages")]]), "utf-8"
    )
    (tmp_path / "work").mkdir()
    script = tmp_path / "work" / "run.py"
    script.write_text(
        dedent("""
        import copied, edited, local
        from pytest_mlrepro.fingerprints.code import fingerprint_code
        def test_a(): return copied.fit(1), edited.fit(1), local.fit(1)
        for name, part in fingerprint_code([test_a], project="work").parts:
            print(name, part.text)
        """),
        "utf-8",
    )
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "python", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "edited.RATE edited.py:1",
        "edited.fit edited.py:2",
        "local.RATE local.py:1",
        "local.fit local.py:2",
        "run.test_a run.py:4",
        "package copied 1.5",
    ]


def test_packages_that_an_installer_linked_from_its_cache_are_installed(tmp_path):
    from pytest_mlrepro.values.origins import origin_of_file

    cache = tmp_path / "cache" / "numpy"
    cache.mkdir(parents=True)
    (cache / "core.py").write_text("")
    site = tmp_path / "env" / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "numpy").symlink_to(cache)
    assert origin_of_file(str(site / "numpy" / "core.py")) == "installed"
    assert origin_of_file(str(cache / "core.py")) == "source"


def test_this_package_is_no_part_of_a_project_that_uses_it(projects):
    found = projects.fingerprint(
        {
            "test_m.py": "from pytest_mlrepro import assert_close\nimport pytest_mlrepro as m\ndef test_a(): assert_close(m, 1)\n"
        }
    )
    assert [name for name in names(found) if "mlrepro" in name.replace("package pytest-mlrepro", "")] == []
    assert "package pytest-mlrepro" in names(found)


def test_this_package_counts_by_its_code_where_it_is_the_project():
    from pytest_mlrepro.compare.close import assert_close

    found = fingerprint_code([assert_close], project=Path(__file__).parent.parent.parent)
    assert "pytest_mlrepro.compare.close.assert_close" in names(found)
    assert dict(found.parts)["pytest_mlrepro.compare.close.assert_close"].text.startswith(
        "pytest_mlrepro/compare/close.py:"
    )


def test_every_module_of_the_standard_library_can_be_a_project(projects):
    """All statements and expressions that people write: nothing that reads syntax trees stumbles over one."""
    import ast

    from pytest_mlrepro.fingerprints.code.changes import changed_by_functions
    from pytest_mlrepro.fingerprints.code.mentions import mentions
    from pytest_mlrepro.fingerprints.code.modules import module_code
    from pytest_mlrepro.values.located import source_file

    folder = Path(ast.__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.glob("[a-e]*/*.py")])[::3]
    read = 0
    for path in files:
        file = source_file(str(path))
        if file is None:
            continue
        changed_by_functions(file.tree)
        assert module_code(file)
        for nodes in file.definitions.values():
            for node in nodes:
                mentions(file, (node,))
                read += 1
    assert read > 1000


def test_a_function_of_no_module_goes_by_what_it_was_compiled_as(projects):
    files = {
        "test_m.py": "ns = {}\nexec('def made(x): return x', ns)\nmade = ns['made']\ndef test_a(): return made(1)\n"
    }
    names = [name for name, _ in projects.fingerprint(files).parts]
    assert "<string>.made" in names
