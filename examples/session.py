"""A terminal session for the docs: an example is recorded, a change planted, and the proposal reviewed with single keys.

    python examples/session.py

writes `docs/pictures/session.cast` (asciicast version 2, for asciinema and its player) and `session.svg`, a still of it. It
needs scikit-learn, pexpect (ISC), which drives the terminal, and rich (MIT), which draws it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
TARGET = HERE.parent / "docs" / "pictures"
COLUMNS, ROWS = 100, 40
PROMPT = "$ "
STEPS = (
    ("pytest -q --golden=record", ""),
    ("sed -i 's/REGULARISATION = 1.0/REGULARISATION = 0.9/' classifier.py", ""),
    ("pytest -q --tb=no", ""),
    ("mlrepro review", "sa"),
    ("mlrepro log", ""),
)
"""Commands, and the keys that are pressed in each."""
REASON = "more regularisation, as agreed"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "breast_cancer"
        kept = shutil.ignore_patterns("__golden__", ".mlrepro", "__pycache__")
        shutil.copytree(HERE / "breast_cancer", project, ignore=kept)
        (project / "pytest.ini").write_text("[pytest]\n", "utf-8")
        shown = "".join(session(project)).replace(str(project), "~/breast_cancer")
    write(shown)
    return 0


def session(project: Path) -> list[str]:
    """Return what the terminal showed, command by command."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {
        **os.environ,
        "PATH": path,
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    env |= {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Mary"}
    env |= {"GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "mary@example.org"}
    env.pop("CI", None)
    out = []
    for command, keys in STEPS:
        out.append(f"\x1b[1m{PROMPT}{command}\x1b[0m\r\n")
        child = pexpect.spawn(
            "sh", ["-c", command], cwd=str(project), env=env, encoding="utf-8", dimensions=(ROWS, COLUMNS), timeout=60
        )
        for key in keys:
            child.expect(r"quit\? ")
            out.append(child.before + child.after)
            child.send(key)
            if key == "a":
                child.expect(r"reason[^\n]*: ")
                out.append(child.before + child.after)
                child.sendline(REASON)
        if child.expect([r"quit\? ", pexpect.EOF]) == 0:
            out.append(child.before + child.after)
            child.send("q")
            child.expect(pexpect.EOF)
        out.append(f"{child.before}\r\n")
    return out


def write(shown: str) -> None:
    """Write the cast, a line at a time, and the still."""
    TARGET.mkdir(parents=True, exist_ok=True)
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "env": {"TERM": "xterm-256color"}}
    lines, at = [json.dumps(head)], 0.0
    for line in re.findall(r"[^\n]*\n|[^\n]+$", shown):
        at += 1.2 if PROMPT in line else 0.08
        lines.append(json.dumps([round(at, 2), "o", line], ensure_ascii=False))
    (TARGET / "session.cast").write_text("\n".join(lines) + "\n", "utf-8")
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        console.print(Text.from_ansi(shown.replace("\r\n", "\n")))
        (TARGET / "session.svg").write_text(console.export_svg(title="pytest-mlrepro"), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
