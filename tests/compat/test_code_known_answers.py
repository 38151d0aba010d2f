"""Digests of code written down, which every version of Python must give: a change breaks the goldens of all of them."""

import ast
import struct
from textwrap import dedent

import pytest
from blake3 import blake3

from pytest_mlrepro.fingerprints import fingerprint_node
from pytest_mlrepro.values.node import Field, Group, Scalar
from pytest_mlrepro.values.syntax import class_shell, encode_syntax, syntax_digest

SOURCES = {
    "function": (
        "def fit(x, y=1, /, *rest, rate: float = 0.1, **more) -> float:\n    'Doc.'\n    return x @ y",
        "39ec2606ee12f0a88ea6318e120426d2328d9e8ec4e0552b3f6a745e11241161",
    ),
    "coroutine": (
        "async def a():\n    async with b as c:\n        return [await d async for d in e if d]",
        "9b071701cc3144a62c8529a0bf0291f47e675bf7ed7c9b85aec0c10fed0a304e",
    ),
    "class": (
        "@dec\nclass M(B, metaclass=T):\n    'Doc.'\n    rate: int = 1\n    'Of it.'\n    def f(self): yield",
        "fbb22fd749d421f1de4be0db43186b5ed341672ec0c211f14f1e05bb1f19c0c2",
    ),
    "numbers": (
        "f(0, -1, 2**70, 1180591620717411303424, 0.1, -0.0, 1e400, 2j, True, None, ...)",
        "d5a43f126c04b09f36a5a9e722d015ca47d7429422a05599b3d550d467657614",
    ),
    "texts": (
        r"f('é\ud800', b'\0\xff', 'a' 'b', u'c', r'\d', '''x\ny''')",
        "86aab00fd43fc062a7ec2cf4edbbb687b561b02398a66a52e73997d6520035e2",
    ),
    "f-strings": (
        "f'{a}' f'{b!r:>{w}}' 'c' f'{d=}' f'{e:}' f'{{}}{g:{h}{i}}' f'{j:%H:%M}' rf'\\d{k}' f'{\"x\"}' f'{l:{{}}}'",
        "abe2af956544d5b033454a5dd58e82d27dcca8d2b5c276c771921bf166ad12c7",
    ),
    "match": (
        "match a:\n    case {'k': [1, *r], **s} | P(x=None) if r: pass\n    case -1 | 'a' | None: pass\n    case _: pass",
        "55cce0fcd3a1763ee451118638998d742b18719bb768588883508ef6430e766d",
    ),
    "try": (
        "try:\n    pass\nexcept* (A, B) as e:\n    raise C from e\nelse:\n    del d[0], d.e\nfinally:\n    global g",
        "f2df29a6d088d92cf34eedf7bee38e43b2000671aeb0200c619859dcd8ffd1fa",
    ),
    "displays": (
        "({**a, None: 1}, [*b], {c}, (), d[1:2, ::3, ...], lambda *, k=None, j: k, (y := x), not a < b <= c)",
        "f0fffd01530eed1b6982f7e3267b6198ff3c15919dadd592ef21add1f704b263",
    ),
    "imports": (
        "import a.b as c, d\nfrom . import e\nfrom ..f import g as h\nfrom i import *",
        "a1447f578072ed9c12da1b5dfc0b61a7eed4f3d3d5662d1c8aa8b701ea36159a",
    ),
    "nothing but text": ("def f():\n    'Doc.'", "4e4b6f0e55a504a7c3a379bc8b362ca25d07f6b6cf5958adb3aca40a400066bf"),
    "deep": (
        "x = " + "+".join(map(str, range(900))),
        "069cf865f5f8cf60da6211feb57113e5fb7384aaf571bb1b91bff22160281893",
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_known_sources(name):
    source, expected = SOURCES[name]
    assert syntax_digest([ast.parse(source)]) == expected


def test_known_class_without_its_functions():
    (node,) = ast.parse(
        dedent("""
        class M:
            if a:
                def f(self): pass
            else:
                b = 1
            try:
                c = 2
            except E:
                async def g(self): pass
            class N: pass
        """)
    ).body
    assert syntax_digest([class_shell(node)]) == SHELL
    (same,) = ast.parse(
        "class M:\n    if a: pass\n    else: b = 1\n    try: c = 2\n    except E: pass\n"
    ).body  # fmt: skip
    assert syntax_digest([same]) == SHELL


SHELL = "9d7a180a37c6e807538e4734768e3efaa783581cd802c25453fae92a7c8ef778"


def u64(number):
    return struct.pack("<Q", number)


def lp(data):
    return u64(len(data)) + data


def sized(data):
    assert len(data) < 255
    return bytes([len(data)]) + data


def node(name, *fields):
    return b"N" + lp(name) + u64(len(fields)) + b"".join(lp(field) + value for field, value in fields)


def scalar(kind, payload):
    return b"S" + lp(kind) + lp(payload)


def many(*items):
    return b"L" + u64(len(items)) + b"".join(items)


def test_document_by_hand():
    """The encoding, followed on paper from docs/fingerprint-format.md, without the code under test."""
    source = "def f(x, *, k, j=None):\n    'Doc.'\n    return x.a[-1] if k is None else f'{x:}'"
    name = lambda text: node(b"Name", (b"id", scalar(b"str", text)))  # noqa: E731
    arg = lambda text: node(b"arg", (b"arg", scalar(b"str", text)))  # noqa: E731
    arguments = node(
        b"arguments",
        (b"args", many(arg(b"x"))),
        (b"kw_defaults", many(b"0", scalar(b"none", b""))),
        (b"kwonlyargs", many(arg(b"k"), arg(b"j"))),
    )
    item = node(
        b"Subscript",
        (b"slice", node(b"UnaryOp", (b"op", node(b"USub")), (b"operand", scalar(b"int", b"\1")))),
        (b"value", node(b"Attribute", (b"attr", scalar(b"str", b"a")), (b"value", name(b"x")))),
    )
    text = node(
        b"JoinedStr",
        (b"values", many(node(b"FormattedValue", (b"conversion", scalar(b"int", b"\xff")), (b"value", name(b"x"))))),
    )
    choice = node(
        b"IfExp",
        (b"body", item),
        (b"orelse", text),
        (
            b"test",
            node(
                b"Compare",
                (b"comparators", many(scalar(b"none", b""))),
                (b"left", name(b"k")),
                (b"ops", many(node(b"Is"))),
            ),
        ),
    )
    function = node(
        b"FunctionDef",
        (b"args", arguments),
        (b"body", many(node(b"Return", (b"value", choice)))),
        (b"name", scalar(b"str", b"f")),
    )
    (tree,) = ast.parse(source).body
    assert encode_syntax(tree) == function
    assert syntax_digest([tree]) == blake3(b"mlrepro1C" + function).hexdigest()
    part = Group("function", (), ((Field("source"), Scalar("syntax", syntax_digest([tree]))),))
    leaf = b"S" + sized(b"syntax") + sized(syntax_digest([tree]).encode())
    whole = b"mlrepro1G" + sized(b"function") + bytes([0, 1]) + b"f" + sized(b"source") + b"=" + sized(leaf)
    assert fingerprint_node(part).digest == "mlrepro1-blake3:" + blake3(whole).hexdigest()
