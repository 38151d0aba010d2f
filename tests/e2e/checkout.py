"""A small project in a git repository of its own, with a recorded golden, and the commands that are run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FILES = {
    ".gitignore": "__pycache__/\n.mlrepro/\nsecret/\n",
    "pytest.ini": "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\npythonpath = .\n",
    "train.py": "from helpers import scale\n\nRATE = 0.5\n\n\ndef fit_head(x):\n    return scale(x) * RATE\n\n\n"
    "def unused(x):\n    return x\n",
    "helpers.py": "def scale(x):\n    return deep(x) + 1\n\n\ndef deep(x):\n    # doubled\n    return x * 2\n\n\n"
    "def idle(x):\n    return x\n",
    "data/train.csv": "a,b\n1,2\n3,4\n5,6\n",
    "tests/test_m.py": """
import numpy as np
import train


def load():
    return np.loadtxt("data/train.csv", delimiter=",", skiprows=1)


def test_m(golden):
    golden.check(train.fit_head(load()), "predictions")
    golden.check(1.0, "loss")
""",
}
TEST = "tests/test_m.py::test_m"
MAIN = "import sys; sys.argv[0] = 'mlrepro'; from pytest_mlrepro.cli import main; main()"


class Checkout:
    """The project: files are written, tests run, commands given."""

    def __init__(self, root: Path, files: dict[str, str] | None = None) -> None:
        self.root = root
        self.environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        root.mkdir(exist_ok=True)
        for name, text in (FILES if files is None else files).items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def git(self, *args: str) -> str:
        command = ["git", "-C", str(self.root), *args]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str = "x") -> str:
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def run(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *args], cwd=self.root, env={**self.environment, **variables},
            capture_output=True, text=True, check=False, encoding="utf-8",
        )  # fmt: skip

    def record(self, *args: str, **variables: str) -> None:
        done = self.run("-m", "pytest", "-q", "--golden=record", *args, **variables)
        assert done.returncode == 0, done.stdout

    def fail(self, *args: str, **variables: str) -> None:
        done = self.run("-m", "pytest", "-q", *args, **variables)
        assert done.returncode == 1, done.stdout

    def mlrepro(self, *args: str, code: int = 0, **variables: str) -> str:
        done = self.run("-c", MAIN, *args, **variables)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def bisect(self, *args: str, code: int = 0, **variables: str) -> list[str]:
        """Bisect, hold that nothing of the user's was touched, and return the conclusion and the lines, with single blanks."""
        before = self.state()
        text = self.mlrepro("explain", "--bisect", "test_m", *args, code=code, **variables)
        assert self.state() == before
        first, _, rest = text.partition("\n\n")  # the conclusion may take several lines
        return [" ".join(line.split()) for line in (first.replace("\n", " "), "", *rest.splitlines())]

    def state(self) -> tuple[object, ...]:
        """Return all that a search must leave as it is: work tree, index, refs, worktrees."""
        files = {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.root).parts
        }
        if not (self.root / ".git" / "HEAD").exists():
            return (files,)
        refs = self.git("for-each-ref"), (self.root / ".git" / "HEAD").read_text("utf-8")
        index = (self.root / ".git" / "index").read_bytes()
        admin = sorted((self.root / ".git" / "worktrees").glob("*"))
        return files, refs, index, self.git("worktree", "list"), admin


def joined(lines: list[str]) -> str:
    return "\n".join(lines)
