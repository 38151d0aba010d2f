"""Markup that can't be broken out of: whatever a text is, the page says that text and nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.report.html.markup import Markup, joined, tag

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--", "-->", "]]>", "<![CDATA[", "&lt;script&gt;", "&#60;b&#62;", "\0<b>", "javascript:alert(1)", "{{7*7}}", "\ud800",
    "\u202egnp.exe",
)  # fmt: skip


class Read(HTMLParser):
    """What a parser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.odd: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)


@settings(deadline=None)
@given(st.one_of(st.text(), st.sampled_from(HOSTILE)))
def test_a_text_stays_a_text_wherever_it_stands(text: str) -> None:
    found = Read(tag("p", text, title=text).text)
    assert found.tags == ["p"]
    assert [name for name, _ in found.attributes] == ["title"]
    assert not found.odd
    assert found.words == found.attributes[0][1]
    if text.isprintable():
        assert found.words == text
    tag("p", text).text.encode()  # halves of characters too


def test_what_can_t_be_seen_is_written_out() -> None:
    assert joined("a\u202eb\x1b\0").text == r"a\u202eb\x1b\x00"
    assert joined("two\nlines\tand more").text == "two\nlines\tand more"


def test_a_text_is_no_markup_and_names_are_no_texts() -> None:
    assert joined("<b>").text == "&lt;b&gt;"
    with pytest.raises(AssertionError):
        Markup("<b>", trusted=False)
    with pytest.raises(AssertionError):
        tag("p onclick=alert(1)")
    with pytest.raises(AssertionError):
        tag("p", onclick="alert(1)")


def test_attributes_without_a_value_and_content_of_all_kinds() -> None:
    made = tag("input", hidden=True, checked=False, title=None, data_kind="a", class_="b")
    assert made.text == '<input hidden data-kind="a" class="b">'
    assert tag("p", "a", None, 1, [tag("b", 2.5), "c"]).text == "<p>a1<b>2.5</b>c</p>"
