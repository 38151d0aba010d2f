"""The page of a run: complete, self-contained, small, and without any way into it for what tests say."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_mlrepro.report.html.page import MANY, Run, page, state, write
from tests.unit.report_records import all_kinds, golden, hostile, record, robustness
from tests.unit.test_report_markup import HOSTILE, Read

RUN = Run("project", "2026-11-25T10:00:00Z", 61.0, 12, "", "check", (("python", "3.11", True), ("host", "a", False)))
KNOWN = """
html head meta title style body a header p h1 h2 h3 ul li strong nav main form label input fieldset legend button span
section ol details summary div code pre figure figcaption svg line path rect circle text g table thead tbody tr th td
img br footer script template
"""


def scripts(text: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", text, re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_test_says_becomes_markup(text: str) -> None:
    clean, dirty = (page(RUN, [hostile(one, said) for one in all_kinds()]) for said in ("plain", text))
    one, two = Read(clean), Read(dirty)
    assert two.tags == one.tags
    assert [name for name, _ in two.attributes] == [name for name, _ in one.attributes]
    assert not two.odd
    assert set(two.tags) <= set(KNOWN.split())
    assert scripts(dirty) == scripts(clean)
    assert len(scripts(dirty)) == 1
    assert not [name for name, _ in two.attributes if name.startswith("on")]
    dirty.encode()


def test_a_hostile_environment_and_project_become_no_markup() -> None:
    for text in HOSTILE:
        run = Run(text, text, 1.0, 1, text, text, ((text, text, True),))
        found = Read(page(run, []))
        assert found.tags.count("script") == 1
        assert "img" not in found.tags


def test_every_link_and_image_is_in_the_page_itself() -> None:
    found = Read(page(RUN, all_kinds()))
    for name, value in found.attributes:
        if name in ("src", "href", "action", "data", "srcset", "xlink:href"):
            assert value is not None
            assert value.startswith(("#", "data:image/png;base64,"))
    text = page(RUN, all_kinds())
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text


def test_the_policy_allows_the_page_s_own_style_and_script_alone() -> None:
    text = page(RUN, all_kinds())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    for part in (scripts(text)[0], re.findall(r"<style>(.*?)</style>", text, re.DOTALL)[0]):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"&#39;sha256-{digest}&#39;" in policy[1]
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"<[^>]* style=", text)


def test_verdicts_come_first_and_those_that_failed_before_the_others() -> None:
    text = page(RUN, all_kinds()[::-1])
    assert '<h1 class="failed">13 of 16 verdicts failed</h1>' in text
    states = re.findall(r'data-state="(\w+)"', text)
    assert states == sorted(states, key=["failed", "changed", "expected", "passed"].index)
    assert (states.count("failed"), states.count("expected"), states.count("changed"), states.count("passed")) == (
        13,
        1,
        1,
        1,
    )
    assert text.index('id="verdicts"') < text.index('id="epsilon"') < text.index('id="environment"')


def test_each_part_of_the_story_is_told() -> None:
    words = Read(page(RUN, all_kinds())).words
    for said in (
        "weights changed: train.fit changed", "train.fit changed (train.py:3)", "mlrepro accept", "✕ parts here first",
        "↳ follows from it", "∅ did not run", "at least 20.0% is proved", "8 becomes 9", "age: 3 nulls",
        "Held against 2 further runs",
        "a shift of 0.1 would have been seen", "no golden is recorded yet", "Robust accuracy over epsilon (linf)", "3.11",
    ):  # fmt: skip
        assert said in words, said


def test_pictures_say_in_words_what_they_show() -> None:
    found = Read(page(RUN, all_kinds()))
    roles = [value for name, value in found.attributes if name == "role"]
    labels = [value for name, value in found.attributes if name == "aria-label"]
    alts = [value for name, value in found.attributes if name == "alt"]
    assert roles.count("img") >= 9
    assert len(alts) == found.tags.count("img")
    assert all(labels)
    assert all(alts)


@pytest.mark.parametrize(
    ("outcome", "test", "expected"),
    [
        ("failed", "failed", "failed"),
        ("failed", "passed", "failed"),
        ("missing", "failed", "failed"),
        ("failed", "xfailed", "expected"),
        ("missing", "skipped", "expected"),
        ("recorded", "passed", "changed"),
        ("passed", "failed", "passed"),
    ],
)
def test_what_a_verdict_comes_to(outcome: str, test: str, expected: str) -> None:
    assert state(record("golden", outcome=outcome) | {"test_outcome": test}) == expected


def test_two_hundred_failures_of_the_largest_kind_stay_below_two_megabytes() -> None:
    noise = np.random.default_rng(0)
    large = [
        golden(np.zeros((64, 64, 3)), noise.random((64, 64, 3))),
        golden(np.zeros(9999), noise.random(9999)),
        robustness(),
    ]
    for one in large:
        one["detail"]["words" if one["kind"] == "golden" else "lines"] = ["x" * 76] * 40
    text = page(RUN, [large[at % 3] for at in range(200)])
    assert 400_000 < len(text.encode()) < 2_000_000
    assert text.count("<img") > 200


def test_of_many_verdicts_what_stands_below_each_waits_in_a_template() -> None:
    few, many = page(RUN, [robustness()] * MANY), page(RUN, [robustness()] * (MANY + 1))
    assert "<template>" not in few
    assert many.count("<template>") == MANY + 1
    assert "Pictures are left out" in page(RUN, [golden(np.zeros(999), np.arange(999.0))] * 3000)


def test_an_empty_run_and_one_that_was_stopped_say_so() -> None:
    assert "No test of this run came to a check." in page(RUN, [])
    stopped = Run("p", "t", 1.0, 1, "interrupted", "check", ())
    text = page(stopped, [record("golden", outcome="passed")])
    assert "1 verdict, none failed, and the run was stopped" in text
    assert '<h1 class="failed">' in text


def test_the_page_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.html"
    path.write_text("before", "utf-8")

    def fails(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fails)
        with pytest.raises(OSError, match="No space"):
            write(path, RUN, all_kinds())
    assert path.read_text("utf-8") == "before"
    write(path, RUN, all_kinds())
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>\n<html")
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]
