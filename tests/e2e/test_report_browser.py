"""The page in a real browser: no script but its own runs, it works from the keyboard, and ten thousand verdicts stay usable."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlrepro.report.html.page import MANY, Run, write
from tests.unit.report_records import all_kinds, hostile, record
from tests.unit.test_report_markup import HOSTILE

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
RUN = Run("project", "2026-11-25T10:00:00Z", 61.0, 12, "", "check", (("python", "3.11", True),))
FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PATIENCE = 10.0

pytestmark = pytest.mark.browser


def found_browser() -> str | None:
    asked = os.environ.get("MLREPRO_CHROMIUM")
    return asked or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    path = found_browser()
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the PATH, and MLREPRO_CHROMIUM is not set")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


class Opened:
    """A page in a browser that has no network, and everything that it complained of or asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def shown(self, expected: str) -> None:
        """Wait until so many verdicts are said to be shown."""
        end = time.monotonic() + PATIENCE
        while self.page.text_content("#shown") != expected and time.monotonic() < end:
            self.page.wait_for_timeout(20)
        assert self.page.text_content("#shown") == expected


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    made: list[Opened] = []

    def make(records: list[dict[str, Any]], **options: Any) -> Opened:
        write(tmp_path / "r.html", RUN, records)
        made.append(Opened(browser, tmp_path / "r.html", **options))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


@pytest.mark.parametrize("times", [1, 40], ids=["all there", "templates"])
def test_nothing_that_tests_say_runs_or_loads(opened: Any, times: int) -> None:
    records = [hostile(one, text) for text in HOSTILE for one in all_kinds()] * times
    records = records[: (MANY if times == 1 else MANY + 1)]
    page = opened(records)
    page.page.click("#open")
    page.page.wait_for_timeout(300)
    assert page.said == []
    assert [url for url in page.asked if not url.startswith("data:")] == [page.page.url]
    assert page.page.evaluate("document.scripts.length") == 1
    inside = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length"
    assert page.page.evaluate(inside) == 0


def test_a_script_that_got_in_all_the_same_would_not_run(opened: Any) -> None:
    page = opened(all_kinds())
    page.page.evaluate(INTRUDER)
    page.page.wait_for_timeout(200)
    assert page.page.title().startswith("project: 13 of 16")
    assert any("Content Security Policy" in words for words in page.said)


INTRUDER = """() => {
  const script = document.createElement("script");
  script.textContent = "document.title = 'run'";
  const image = document.createElement("img");
  image.setAttribute("onerror", "document.title = 'run'");
  image.src = "x";
  document.body.append(script, image);
}"""


def test_filters_work_from_the_keyboard(opened: Any) -> None:
    page = opened(all_kinds())
    keys = page.page.keyboard
    page.shown("16 of 16 verdicts shown")
    page.page.get_by_role("searchbox", name="Test or check").focus()
    keys.type("linf(0.2")
    page.shown("1 of 16 verdicts shown")
    keys.press("Control+A")
    keys.press("Delete")
    page.shown("16 of 16 verdicts shown")
    keys.press("Tab")
    assert page.page.evaluate("document.activeElement.value") == "failed"
    keys.press("Space")
    page.shown("3 of 16 verdicts shown")
    keys.press("Space")
    page.page.get_by_role("checkbox", name="golden (8)").focus()
    keys.press("Space")
    page.shown("8 of 16 verdicts shown")
    page.page.get_by_role("button", name="Close all").focus()
    keys.press("Tab")
    assert page.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert "first step that parts" in page.page.evaluate("document.activeElement.textContent")
    keys.press("Enter")
    assert page.page.get_by_role("img", name="Steps of the pipeline").is_visible()
    assert page.said == []


def test_a_link_to_a_verdict_opens_it(opened: Any) -> None:
    page = opened([*all_kinds() * 40][: MANY + 1])
    assert page.page.evaluate("document.querySelector('#v3 details').open") is False
    page.page.evaluate("location.hash = '#v3'")
    page.page.wait_for_timeout(200)
    assert page.page.evaluate("document.querySelector('#v3 details').open") is True
    assert page.page.locator("#v3 .body").is_visible()


def test_without_scripts_all_is_there(opened: Any) -> None:
    page = opened(all_kinds(), java_script_enabled=False)
    assert not page.page.locator("#filters").is_visible()
    page.page.locator("#v1 summary").click()
    assert page.page.locator("#v1 .plot").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_words_can_be_read_in_both_schemes_and_on_narrow_screens(opened: Any, scheme: str, width: int) -> None:
    page = opened(all_kinds(), color_scheme=scheme, viewport={"width": width, "height": 800})
    page.page.click("#open")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    measured = page.page.evaluate(CONTRAST)
    assert not [one for one in measured if one[1] < 4.5], measured


CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const names = ["h1", ".facts", ".badge.failed", ".badge.passed", ".badge.changed", ".badge.expected", ".test", ".kind",
    "figcaption", "pre", "thead th", ".state.drift", ".state.undecided", "h3", "legend", "nav a", "button"];
  return names.map((name) => document.querySelector(name)).filter(Boolean).map((element) => {
    const [one, two] = [light(getComputedStyle(element).color), light(paper(element))].sort((a, b) => b - a);
    return [element.className || element.tagName, (one + 0.05) / (two + 0.05)];
  });
}"""


@pytest.mark.slow
def test_ten_thousand_verdicts_stay_usable(opened: Any) -> None:
    passed = [
        record("golden", f"check {at}", "passed") | {"test": f"test_m.py::test_{at % 500}"} for at in range(9_500)
    ]
    page = opened([*all_kinds() * 32][:500] + passed)
    began = time.monotonic()
    page.page.fill("#words", "check 77")
    page.shown("111 of 10000 verdicts shown")
    page.page.evaluate(FRAME)
    page.page.fill("#words", "")
    page.shown("10000 of 10000 verdicts shown")
    page.page.evaluate(FRAME)
    assert (
        time.monotonic() - began < PATIENCE
    )  # a quarter of it on a quiet machine; minutes when items are numbered anew
    page.page.click("#open")
    assert page.page.evaluate("document.querySelectorAll('details[open]').length") == 200
