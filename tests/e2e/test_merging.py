"""Two people, two branches, one git: goldens that each accepted merge by themselves, and the same one conflicts readably."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.slow

FILES = {
    ".gitignore": "__pycache__/\n.mlrepro/\n",
    "pytest.ini": "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\n"
    "mlrepro_store = objects\nmlrepro_store_limit = 1 KiB\n",
    "values.py": "A = 1.0\n\n\n\n\n\n\n\n\nB = 1.0\n",
    "test_m.py": """
import numpy as np
import values

def test_a(golden, pipeline):
    golden.check(np.arange(1000.0) + values.A, "big")
    pipeline.step("double", lambda x: x * 2, np.arange(10.0) * values.A)

def test_b(golden):
    golden.check(np.arange(1000.0) * values.B, "big")
    golden.check(values.B, "small")
""",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "p", {**FILES, "conftest.py": "import sys\nsys.path.insert(0, '.')\n"})
    made.record()
    made.commit()
    return made


def accepted(checkout: Checkout, branch: str, name: str, value: str, reason: str) -> None:
    """Change a value on a branch from main, and accept what that gives, as this branch's author."""
    checkout.environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": branch}
    checkout.git("checkout", "-q", "-b", branch, "main")
    checkout.change("values.py", f"{name} = 1.0", f"{name} = {value}")
    while checkout.run("-m", "pytest", "-q").returncode:  # a test stops at its first check that differs
        checkout.mlrepro("accept", "--all", "--reason", reason)
    checkout.commit(reason)


def conflicts(checkout: Checkout) -> list[str]:
    done = checkout.run(
        "-c", "import subprocess, sys; sys.exit(subprocess.run(['git', 'merge', '-q', 'bob']).returncode)"
    )
    assert done.returncode == 1, done.stdout
    return checkout.git("diff", "--name-only", "--diff-filter=U").splitlines()


def test_two_branches_that_accept_different_goldens_merge_by_themselves(checkout: Checkout) -> None:
    accepted(checkout, "anna", "A", "2.0", "annas change")
    accepted(checkout, "bob", "B", "3.0", "bobs change")
    checkout.git("checkout", "-q", "anna")
    checkout.git("merge", "-q", "--no-edit", "bob")
    done = checkout.run("-m", "pytest", "-q")
    assert done.returncode == 0, done.stdout
    assert "2 goldens verified" in checkout.mlrepro("verify")
    shown = checkout.mlrepro("show", "test_m")
    assert "by anna: annas change" in shown
    assert "by bob: bobs change" in shown


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_the_same_golden_conflicts_in_one_folder_and_one_message_that_says_how_to_choose(
    checkout: Checkout, side: str
) -> None:
    accepted(checkout, "anna", "A", "2.0", "annas change")
    accepted(checkout, "bob", "A", "3.0", "bobs change")
    checkout.git("checkout", "-q", "anna")
    unmerged = [name for name in conflicts(checkout) if name != "values.py"]
    (folder,) = {Path(name).parent for name in unmerged}
    assert folder.name.startswith("test_a-")
    assert {Path(name).suffix for name in unmerged} <= {".json", ".jsonl"}
    checkout.git("checkout", f"--{side}", "--", "values.py")
    said = checkout.run("-m", "pytest", "-q").stdout
    status = checkout.mlrepro("status")
    whole, source = checkout.root / folder, {"ours": "HEAD", "theirs": "MERGE_HEAD"}[side]
    for text in (said, status, checkout.mlrepro("verify", code=1)):
        assert "two branches changed the golden in" in text
        assert "ours   HEAD: accept by anna, " in text
        assert ": annas change (" in text
        assert "theirs bob: accept by bob, " in text
        assert f"git restore --source={source} --staged --worktree -- '{whole}'" in text
    assert "test_b" not in [line.split("::")[-1] for line in said.splitlines() if line.startswith("FAILED")]
    checkout.git("add", "--", str(whole))
    checkout.git("restore", f"--source={source}", "--staged", "--worktree", "--", str(whole))
    checkout.git("add", "values.py")
    checkout.git("commit", "-qm", "merged")
    done = checkout.run("-m", "pytest", "-q")
    assert done.returncode == 0, done.stdout
    assert "2 goldens verified" in checkout.mlrepro("verify")
