"""One definition put back into a file, and nothing else of it changed."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.bisect.source import Unsplicable
from pytest_mlrepro.bisect.splice import spliced


def put_back(new: str, old: str, name: str) -> str:
    return spliced(dedent(new).encode(), dedent(old).encode(), name).decode()


def test_a_function_comes_back_and_its_neighbours_stay() -> None:
    old = """
    # a comment of then
    def a(x):
        return x + 1


    def b(x):
        return x * 2
    """
    new = """
    # a comment of now
    def a(x):
        y = x + 7
        return y


    def b(x):
        return x * 3
    """
    assert put_back(new, old, "a") == dedent(new).replace("    y = x + 7\n    return y", "    return x + 1")
    assert put_back(new, old, "b") == dedent(new).replace("x * 3", "x * 2")


def test_decorators_belong_to_the_definition() -> None:
    old = "import f\n\n@f.one\n@f.two(\n    3,\n)\nasync def a():\n    return 1\n\n\nZ = 1\n"
    new = "import f\n\n@f.other\nasync def a():\n    return 2\n\n\nZ = 2\n"
    assert put_back(new, old, "a") == old.replace("Z = 1", "Z = 2")
    assert put_back(old, new, "a") == new.replace("Z = 2", "Z = 1")


CLASS = """
class Model(Base):
    rate = 0.1

    def fit(self, x):
        def inner(y):
            return y + 1

        return inner(x)

    @property
    def gain(self):
        return 1

    @gain.setter
    def gain(self, value):
        self.g = value

    class Inner:
        depth = 2

        def walk(self):
            return 5
"""


@pytest.mark.parametrize(
    ("name", "then", "now"),
    [
        ("Model.fit", "y + 1", "y + 2"),
        ("Model.gain", "self.g = value", "self.g = -value"),
        ("Model.gain", "return 1", "return 2"),
        ("Model.Inner.walk", "return 5", "return 6"),
        ("Model.Inner", "depth = 2", "depth = 3"),
        ("Model", "rate = 0.1", "rate = 0.2"),
        ("Model", "(Base)", "(Other)"),
    ],
)
def test_methods_nested_and_frames_of_classes(name: str, then: str, now: str) -> None:
    new = CLASS.replace(then, now)
    assert put_back(new, CLASS, name) == CLASS
    others = {"Model.fit": "y + 1", "Model.gain": "return 1", "Model": "rate = 0.1", "Model.Inner.walk": "return 5"}
    for other, text in others.items():
        if other != name and text != then:
            both = new.replace(text, "changed_too()" if "=" not in text else "rate = 9")
            assert put_back(both, CLASS, name) == both.replace(now, then)


def test_the_frame_of_a_class_keeps_methods_of_now_also_new_ones_and_drops_gone_ones() -> None:
    old = "class A:\n    x = 1\n\n    def a(self):\n        return 1\n\n    def gone(self):\n        return 2\n"
    new = "class A(B):\n    x = 2\n\n    def a(self):\n        return 10\n\n    def more(self):\n        return 3\n"
    result = put_back(new, old, "A")
    (node,) = ast.parse(result).body
    assert isinstance(node, ast.ClassDef)
    assert not node.bases
    assert "x = 1" in result
    assert "return 10" in result
    assert "return 3" in result
    assert "gone" not in result


def test_overloads_count_as_one() -> None:
    old = (
        "from typing import overload\n@overload\ndef f(x: int) -> int: ...\n@overload\n"
        "def f(x: str) -> str: ...\ndef f(x):\n    return x\n\nK = 1\n"
    )
    new = "from typing import overload\ndef f(x):\n    return x + x\n\nK = 2\n"
    result = put_back(new, old, "f")
    assert result.count("def f") == 3
    assert "K = 2" in result
    assert put_back(result, new, "f").count("def f") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RATE = 1\nOTHER = 2\n", "RATE = 3\nOTHER = 4\n"),
        ("RATE: float = 1\nOTHER = 2\n", "RATE = [\n    1,\n]\nOTHER = 4\n"),
        ("OTHER = 2; RATE = 1\n", "OTHER = 4; RATE = 3\n"),
        ("RATE = {}\nRATE['a'] = 1\nOTHER = 2\n", "RATE = {}\nRATE['a'] = 3\nOTHER = 4\n"),
        ("if True:\n    RATE = 1\nOTHER = 2\n", "if True:\n    RATE = 5\nOTHER = 4\n"),
        ("RATE = 0\nfor i in range(3):\n    RATE += i\nOTHER = 2\n", "RATE = 9\nOTHER = 4\n"),
        ("def RATE():\n    return 1\nOTHER = 2\n", "RATE = 3\nOTHER = 4\n"),
    ],
)
def test_constants(old: str, new: str) -> None:
    spaces: list[dict[str, object]] = [{}, {}, {}]
    result = put_back(new, old, "RATE")
    for text, space in zip((old, new, result), spaces, strict=True):
        exec(text, space)
    rates = [space["RATE"]() if callable(space["RATE"]) else space["RATE"] for space in spaces]
    assert rates[2] == rates[0] != rates[1]
    assert spaces[2]["OTHER"] == 4


def test_line_ends_of_the_new_file_are_kept() -> None:
    old = b'def a():\n    """x\n    y"""\n    return 1\n\nB = 1\n'
    new = b"def a():\r\n    return 2\r\n\r\nB = 2\r\n"
    assert spliced(new, old, "a") == b'def a():\r\n    """x\r\n    y"""\r\n    return 1\r\n\r\nB = 2\r\n'
    assert spliced(old, new, "a") == b"def a():\n    return 2\n\nB = 1\n"


def test_tabs_and_spaces_may_change_places() -> None:
    old = "class A:\n\tdef f(self):\n\t\tx = '''\n\tkept\n'''\n\t\treturn x\n"
    new = "class A:\n    def f(self):\n        return 2\n\n    def g(self):\n        return 3\n"
    result = put_back(new, old, "A.f")
    space: dict[str, object] = {}
    exec(result, space)
    model = space["A"]()  # type: ignore[operator]
    assert model.f() == "\n\tkept\n"
    assert model.g() == 3


@pytest.mark.parametrize("mark", [b"# -*- coding: latin-1 -*-\n", b"# coding: cp1252\n"])
def test_declared_encodings(mark: bytes) -> None:
    old = mark + "def a():\n    return 'ä'\nB = 'ö'\n".encode("latin-1")
    new = mark + "def a():\n    return 'ü'\nB = 'ß'\n".encode("latin-1")
    assert spliced(new, old, "a") == mark + "def a():\n    return 'ä'\nB = 'ß'\n".encode("latin-1")


def test_a_byte_order_mark_stays() -> None:
    old, new = "def a():\n    return 'ä'\n".encode(), "\ufeffdef a():\n    return 2\n".encode()
    assert spliced(new, old, "a") == "\ufeffdef a():\n    return 'ä'\n".encode()


def test_letters_that_the_encoding_lacks_are_refused() -> None:
    with pytest.raises(Unsplicable, match="lacks letters"):
        spliced(b"# coding: latin-1\ndef a():\n    return 2\n", "def a():\n    return '→'\n".encode(), "a")


def test_what_is_gone_comes_back_where_it_stood() -> None:
    old = "import os\n\ndef a():\n    return 1\n\ndef b():\n    return 2\n\nclass C:\n    def m(self):\n        return 3\n"
    new = "import os\n\ndef a():\n    return 9\n\nclass C:\n    x = 1\n"
    assert put_back(new, old, "b").index("def b") > put_back(new, old, "b").index("return 9")
    assert "    def m(self):\n        return 3\n" in put_back(new, old, "C.m")
    gone = "import os\n\ndef a():\n    return 9\n"
    assert put_back(gone, old, "C") == gone + old[old.index("class C") :]
    constant = put_back("import os\n\n\ndef a():\n    return K\n", "import os\n\nK = 3\n", "K")
    assert constant.index("K = 3") < constant.index("def a")


def test_what_is_new_is_taken_out() -> None:
    old = "class C:\n    x = 1\n\nclass D:\n    pass\n"
    new = "class C:\n    x = 1\n    def m(self):\n        return 3\n\nclass D:\n    def m(self):\n        return 1\n\nK = 1\n"
    assert put_back(new, old, "C.m") == new.replace("    def m(self):\n        return 3\n", "", 1)
    assert put_back(new, old, "D.m") == new.replace("    def m(self):\n        return 1\n", "    pass\n")
    assert put_back(new, old, "K") == new.replace("K = 1", "pass")


def test_imports_that_the_old_code_needs_come_with_it() -> None:
    old = '"""Text."""\nfrom __future__ import annotations\nimport math as m\nfrom os import sep\ndef a():\n    return m.pi, sep\n'
    new = '"""Text."""\nfrom __future__ import annotations\nfrom os import sep\ndef a():\n    return sep\n'
    result = put_back(new, old, "a")
    assert "annotations\nimport math as m\nfrom os" in result
    assert result.count("sep\n") == 2
    exec(result, {})


@pytest.mark.parametrize(
    ("new", "old", "name", "why"),
    [
        ("def a(): return 1\n", "def a(: return\n", "a", "can't be parsed"),
        ("x = 1\n", "x = 2\n", "y", "neither"),
        ("x = 1\n", "class A:\n    def f(self): return 1\n", "A.f", "not there any more"),
        ("A, B = 1, 2\n", "A = 3\nB = 5\n", "A", "would change|fit"),
        (
            "def g():\n    return 1\n",
            "def g():\n    def h(): return 2\n    return h\n",
            "g.<locals>.h",
            "inside a function",
        ),
    ],
)
def test_what_cant_be_put_back_says_why(new: str, old: str, name: str, why: str) -> None:
    with pytest.raises(Unsplicable, match=why):
        put_back(new, old, name)


NAMES = st.sampled_from(["a", "b", "C.m", "C.n", "K", "C"])
NUMBERS = st.integers(0, 3)


@st.composite
def modules(draw: st.DrawFn) -> str:
    parts = []
    for name in draw(st.permutations(["a", "b", "K", "C"])):
        if name == "K":
            parts.append(f"K = {draw(NUMBERS)}\n")
        elif name == "C":
            names = draw(st.sampled_from(["m", "n", "mn"]))
            methods = "".join(f"\n    def {m}(self):\n        return {draw(NUMBERS)}\n" for m in names)
            parts.append(f"class C:\n    x = {draw(NUMBERS)}\n{methods}")
        else:
            parts.append(f"@str\ndef {name}():  # note\n    # inside\n    return {draw(NUMBERS)}\n")
    return draw(st.sampled_from(["\n", "\n\n"])).join(parts)


@given(modules(), modules(), NAMES)
def test_only_the_named_definition_changes_and_twice_is_once(new: str, old: str, name: str) -> None:
    once = where_there_is_one(new, old, name)
    assert where_there_is_one(once, old, name) == once
    for other in ("C", "C.m", "C.n", "a", "b", "K"):  # with all of it put back, the old module stands there
        once = where_there_is_one(once, old, other)
    assert sorted(map(ast.dump, ordered(once))) == sorted(map(ast.dump, ordered(old)))


def where_there_is_one(new: str, old: str, name: str) -> str:
    try:
        return put_back(new, old, name)
    except Unsplicable as error:
        if "neither" not in str(error):
            raise
        return new


def ordered(text: str) -> list[ast.stmt]:
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            node.body.sort(key=ast.dump)
    return tree.body
