"""Makes the pictures of docs/report.md: copies of examples are recorded, changed and run again, and their pages photographed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
TESTS = {
    "breast_cancer": """
import numpy as np
from classifier import load, train

def test_probabilities(golden):
    split = load()
    golden.check(np.sort(train(split).predict_proba(split.test)[:, 1]), "probabilities")
""",
    "steps": None,
    "drift": """
from scans import incoming, train

def test_incoming(drift):
    drift.check(incoming(DELIVERY), "train", of=train, effect=0.15, correlation=0.35)
""",
    "robust_digits": """
from models import digits, trained
from pytest_mlrepro import Linf

def test_network(robustness):
    _, _, images, labels = digits()
    robustness.check(trained(robust=False), images, labels, Linf(0.1, bounds=(0, 1)), min_accuracy=ASKED)
""",
}
CHANGES = {
    "breast_cancer": ("classifier.py", "REGULARISATION = 1.0", "REGULARISATION = 0.1"),
    "steps": ("flow.py", "LONGEST = 4.0", "LONGEST = 3.0"),
    "drift": ("test_page.py", '"good.csv"', '"broken.csv"'),
    "robust_digits": ("test_page.py", "ASKED = 0.01", "ASKED = 0.85"),
}
VALUES = {"drift": 'DELIVERY = "good.csv"\n', "robust_digits": "ASKED = 0.01\n"}
SHOWN = {"breast_cancer": "light", "steps": "light", "drift": "dark", "robust_digits": "light"}


def main() -> int:
    from playwright.sync_api import sync_playwright

    path = os.environ.get("MLREPRO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, scheme in SHOWN.items():
            page = report(Path(folder) / name)
            photograph(browser, page, PICTURES / f"report-{name.replace('_', '-')}.png", scheme)
            print(f"{name}: {page.stat().st_size:,} bytes")
        browser.close()
    return 0


def report(project: Path) -> Path:
    """Record an example, change it, and return the page of the run after that."""
    ignored = shutil.ignore_patterns(
        "__golden__", ".mlrepro", "__pycache__", *(() if TESTS[project.name] is None else ("test_*",))
    )
    shutil.copytree(HERE / project.name, project, ignore=ignored)
    text = TESTS[project.name]
    test = "test_flow.py" if text is None else "test_page.py"
    if text is not None:
        (project / test).write_text(VALUES.get(project.name, "") + text, "utf-8")
    run(project, test, "--golden=record", expect=0)
    file, old, new = CHANGES[project.name]
    before = (project / file).read_text("utf-8")
    if old not in before:
        sys.exit(f"{file} does not hold {old!r}: there is nothing to change")
    (project / file).write_text(before.replace(old, new), "utf-8")
    run(project, test, "--mlrepro-report=report.html", expect=1)
    return project / "report.html"


def run(project: Path, *arguments: str, expect: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != expect:
        sys.exit(f"{done.stdout}\npytest left with {done.returncode}, and {expect} was expected")


def photograph(browser: Any, page: Path, picture: Path, scheme: str) -> None:
    """Open the last verdict that failed (of a pipeline its graph), and keep what a screen shows."""
    opened = browser.new_context(color_scheme=scheme, viewport={"width": 1000, "height": 1080}).new_page()
    opened.goto(page.as_uri())
    failed = opened.locator(".verdicts > li[data-state=failed]")
    graph = opened.locator(".verdicts > li[data-kind=pipeline]")
    (graph if graph.count() else failed.last).locator("summary").click()
    opened.screenshot(path=str(picture))
    opened.context.close()


if __name__ == "__main__":
    sys.exit(main())
