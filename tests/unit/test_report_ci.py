"""What is told to CI services: names and values of tests end no line, start no command, and are no markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.integration.properties import PROPERTY, name_in, named
from pytest_mlrepro.records import Check, Settings
from pytest_mlrepro.report import ci, junit
from pytest_mlrepro.session import Session

TOP = Path("/work/repo")
EVIL = "x%0A::set-output name=a::b\n::stop-commands::t\r##[error]y | <script>alert(1)</script> `c` [l](javascript:a) \x1b[31m\x00"


def failure(text: str = EVIL, nodeid: str = f"tests/test_a.py::test[{EVIL}]", line: int = 7) -> ci.Failure:
    return ci.Failure(nodeid, TOP / "tests" / "test_a.py", line, text)


def session(*verdicts: tuple[str, str, str]) -> Session:
    made = Session(Settings(TOP, "check", None, "__golden__", ci=True))
    made.verdicts += verdicts
    return made


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as GitHub's runner does."""
    match = re.fullmatch(r"::(\w+) ([^\n\r]*?)::([^\n\r]*)", line)
    assert match, line
    given = dict(part.split("=", 1) for part in match[2].split(","))
    for escape, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        given = {key: value.replace(escape, char) for key, value in given.items()}
    data = match[3].replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    return match[1], given, data


def test_an_annotation_is_one_command_that_says_what_was_meant() -> None:
    (line,) = ci.commands([failure()], TOP)
    kind, given, data = read(line)
    assert kind == "error"
    assert given["file"] == "tests/test_a.py"
    assert given["line"] == "7"
    assert "::set-output name=a::b" in given["title"]
    assert "x%0A::set-output" in data
    assert "\x1b" not in line


@given(st.text(), st.text())
def test_no_text_ends_the_line_or_adds_a_property(text: str, nodeid: str) -> None:
    (line,) = ci.commands([failure(text, nodeid)], TOP)
    assert len(line.splitlines()) == 1 or not {"\n", "\r"} & {*line}
    assert line.count("::error ") >= 1
    assert line.startswith("::error ")
    assert set(read(line)[1]) == {"file", "line", "title"}
    line.encode()


def test_more_than_github_shows_are_counted() -> None:
    lines = list(ci.commands([failure(line=n + 1) for n in range(25)], TOP))
    assert len(lines) == 10
    assert "16 more tests failed" in lines[-1]


@given(st.text(max_size=60))
def test_a_summary_holds_no_markup_but_ours(text: str) -> None:
    told = json.dumps({"kind": text, "verdict": text, "outcome": "failed"})
    page = ci.summary(session(("t", "n", told)), [failure(text, text)], [text])
    ours = re.sub(r"&#\d+;", "", page)
    for tag in ("<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>", "<pre>", "</pre>"):
        ours = ours.replace(tag, "")
    assert not set("<>`[]") & {*ours}
    rows = [line for line in page.split("\n") if line.startswith("|")]
    assert all(row.count("|") == 3 for row in rows)
    page.encode()


def test_a_summary_is_never_larger_than_github_takes() -> None:
    page = ci.summary(session(), [failure("x" * 5000, f"t.py::test_{n}") for n in range(2000)], [])
    assert len(page.encode()) < 1024 * 1024
    assert "2000 tests failed in all" in page
    assert page.count("<details>") == page.count("</details>")


def test_code_quality_is_what_gitlab_reads() -> None:
    (entry,) = json.loads(ci.code_quality([failure()], TOP))
    assert set(entry) == {"check_name", "description", "fingerprint", "severity", "location"}
    assert entry["location"] == {"path": "tests/test_a.py", "lines": {"begin": 7}}
    assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
    (later,) = json.loads(ci.code_quality([failure("other numbers", line=9)], TOP))
    assert later["fingerprint"] == entry["fingerprint"], "the same trouble in the next run is the same entry"
    assert json.loads(ci.code_quality([], TOP)) == []


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        ("auto", {}, "none"),
        ("auto", {"GITHUB_ACTIONS": "true"}, "github"),
        ("auto", {"GITLAB_CI": "true"}, "gitlab"),
        ("auto", {"GITHUB_ACTIONS": "false"}, "none"),
        ("gitlab", {"GITHUB_ACTIONS": "true"}, "gitlab"),
        ("none", {"GITHUB_ACTIONS": "true"}, "none"),
    ],
)
def test_the_service_is_that_of_the_environment_or_the_one_asked_for(
    asked: str, environment: dict[str, str], expected: str
) -> None:
    assert ci.service_of(asked, environment) == expected


@given(st.text())
def test_names_of_properties_are_xml_and_come_back(name: str) -> None:
    key = named(PROPERTY, name)
    assert name_in(key, PROPERTY) == name
    text = ElementTree.tostring(ElementTree.Element("property", name=key), encoding="unicode")
    assert ElementTree.fromstring(text).get("name") == key  # nothing is made anew by reading, such as of line ends


@given(st.text())
def test_facts_of_verdicts_are_xml(name: str) -> None:
    told = json.dumps({"kind": "drift", "outcome": "failed", "rows": 3, "statistics": {"x": 1}, "verdict": "drift"})
    facts = dict(junit.verdict_properties(name, told))
    assert list(facts.values()) == ["failed", "drift", "3"]
    for key in facts:
        text = ElementTree.tostring(ElementTree.Element("property", name=key), encoding="unicode")
        ElementTree.fromstring(text)


def test_a_suite_says_how_often_each_outcome_was() -> None:
    run = session(
        ("t", "n", '{"kind": "drift", "outcome": "failed"}'), ("u", "n", '{"kind": "drift", "outcome": "failed"}')
    )
    run.add("t", Check("a", "passed"))
    run.add("t", Check("b", "passed"))
    facts = dict(junit.suite_properties(run, "1.2"))
    assert facts == {
        "mlrepro.version": "1.2",
        "mlrepro.mode": "check",
        "mlrepro.golden.passed": "2",
        "mlrepro.drift.failed": "2",
    }
