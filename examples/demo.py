"""Golden runs of real models in a scratch copy of the examples: recorded, checked, and a planted change caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PLANTED = {
    "breast_cancer": ("classifier.py", "REGULARISATION = 1.0", "REGULARISATION = 0.9"),
    "digits_cnn": ("cnn.py", "LEARNING_RATE = 2e-3", "LEARNING_RATE = 2.1e-3"),
    "wine_clusters": ("clusters.py", "wine.std(ddof=0)", "wine.std(ddof=1)"),
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, old, new) in PLANTED.items():
            project = Path(folder) / name
            shutil.copytree(
                HERE / name, project, ignore=shutil.ignore_patterns("__golden__", ".mlrepro", "__pycache__")
            )
            run(project, "record the goldens", "--golden=record", expect=0)
            run(project, "check against them", expect=0)
            plant(project / file, old, new)
            run(project, f"check again, with a change planted in {file}: {old} -> {new}", expect=1)
    print("\nEach planted change was caught. The copies are gone; nothing in the examples was touched.")
    return 0


def run(project: Path, what: str, *options: str, expect: int) -> None:
    print(f"\n### {project.name}: {what}\n$ pytest {' '.join(options)}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=project, check=False)
    if done.returncode != expect:
        sys.exit(f"pytest left with {done.returncode}, and {expect} was expected")


def plant(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    if old not in text:
        sys.exit(f"{path.name} does not hold {old!r}: the demonstration has nothing to change")
    path.write_text(text.replace(old, new), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
