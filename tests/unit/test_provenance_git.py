"""What git says, and that nothing that is wrong with it stops a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pytest_mlrepro.provenance.git import GitState, git_state

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
IDENTITY = (
    "-c",
    "user.name=n",
    "-c",
    "user.email=e@x",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "protocol.file.allow=always",
)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path_factory.getbasetemp()))


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *IDENTITY, "-C", str(folder), *words], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit of one file."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.py").write_text("x = 1\n", "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")


def test_a_clean_and_a_changed_repository(repo: Path) -> None:
    assert git_state(repo) == GitState(head(repo), False)
    (repo / "a.py").write_text("x = 2\n", "utf-8")
    assert git_state(repo) == GitState(head(repo), True)
    git(repo, "add", "-A")
    assert git_state(repo) == GitState(head(repo), True)


def test_a_folder_inside_sees_changes_of_the_whole_repository(repo: Path) -> None:
    (repo / "sub" / "deep").mkdir(parents=True)
    assert git_state(repo / "sub" / "deep") == GitState(head(repo), False)
    (repo / "a.py").write_text("x = 2\n", "utf-8")
    assert git_state(repo / "sub" / "deep") == GitState(head(repo), True)


def test_files_that_git_does_not_know_and_excluded_ones_make_nothing_dirty(repo: Path) -> None:
    golden = repo / "tests" / "__golden__" / "m" / "golden.json"
    golden.parent.mkdir(parents=True)
    golden.write_text("{}", "utf-8")
    assert git_state(repo) == GitState(head(repo), False)
    git(repo, "add", "-A")
    assert git_state(repo) == GitState(head(repo), True)
    assert git_state(repo, exclude=["**/__golden__/**"]) == GitState(head(repo), False)
    assert git_state(repo / "tests", exclude=["**/__golden__/**"]) == GitState(head(repo), False)
    (repo / "a.py").write_text("x = 2\n", "utf-8")
    assert git_state(repo, exclude=["**/__golden__/**"]) == GitState(head(repo), True)


def test_nothing_is_written(repo: Path) -> None:
    os.utime(repo / "a.py", (1, 1))  # the index would be refreshed by a plain `git status`
    before = (repo / ".git" / "index").read_bytes()
    git_state(repo)
    assert (repo / ".git" / "index").read_bytes() == before


def test_a_detached_head_a_linked_worktree_and_a_submodule(repo: Path, tmp_path: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    assert git_state(repo) == GitState(head(repo), False)
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    assert git_state(tmp_path / "linked") == GitState(head(repo), False)
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(repo), "inner")
    git(outer, "commit", "-qm", "outer")
    assert git_state(outer / "inner") == GitState(head(repo), False)
    assert git_state(outer) == GitState(head(outer), False)
    assert head(outer) != head(repo)


def test_a_broken_submodule_leaves_the_commit_known(repo: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(repo), "inner")
    git(outer, "commit", "-qm", "outer")
    (outer / "inner" / ".git").write_text("gitdir: /nowhere\n", "utf-8")
    state = git_state(outer)
    assert state is not None
    assert state.commit == head(outer)


def test_no_repository_no_folder_and_no_commit_are_unknown(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "missing") is None
    assert git_state(Path("a\0b")) is None
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda git: (git / "HEAD").write_text("nonsense", "utf-8"),
        lambda git: (git / "HEAD").unlink(),
        lambda git: (git / "HEAD").write_text("ref: refs/heads/none\n", "utf-8"),
        lambda git: (git / "HEAD").write_text("0123456789" * 4 + "\n", "utf-8"),
        lambda git: (git / "config").write_text("[core", "utf-8"),
        lambda git: (git / "config").write_text("[core]\nrepositoryformatversion = 99\n", "utf-8"),
        lambda git: shutil.rmtree(git / "objects"),
    ],
    ids=["head", "no head", "dangling head", "missing commit", "config", "later format", "no objects"],
)
def test_a_broken_repository_is_unknown(repo: Path, damage: object) -> None:
    damage(repo / ".git")
    assert git_state(repo) is None


def test_a_broken_index_leaves_the_commit_known(repo: Path) -> None:
    commit = head(repo)
    (repo / ".git" / "index").write_bytes(b"nonsense")
    assert git_state(repo) == GitState(commit, None)


def test_without_git_the_state_is_unknown(repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(repo) is None


@pytest.mark.skipif(os.name == "nt", reason="a script stands in for git")
@pytest.mark.parametrize("script", ["sleep 60", "exec sleep 60", "printf '\\377\\376'; exit 3", "kill -9 $$"])
def test_a_git_that_hangs_or_babbles_is_given_up(
    repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    start = time.monotonic()
    assert git_state(repo, seconds=0.5) is None
    assert time.monotonic() - start < 30


def test_a_hook_s_variables_don_t_lead_to_another_repository(
    repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit = head(repo)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-qm", "other", "--allow-empty")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert git_state(repo) == GitState(commit, False)


def test_a_program_that_the_repository_names_is_not_started(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "core.fsmonitor", f"touch {tmp_path / 'started'}")
    assert git_state(repo) == GitState(head(repo), False)
    assert not (tmp_path / "started").exists()
