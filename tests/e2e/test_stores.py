"""Goldens whose large arrays lie in a store, as projects meet them: recorded, checked elsewhere, offline, accepted, collected."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_mlrepro.golden.configured import configured
from tests.e2e.checkout import Checkout
from tests.unit.stores import KEY, SECRET, Server, s3_server

TEST = """
import os
import numpy as np

def big(seed):
    return np.random.default_rng(seed).random(50_000) + float(os.environ.get("SHIFT", "0"))

def test_m(golden):
    golden.check(big(0), "big", rtol=1e-6, atol=0.0)
    golden.check(np.arange(4.0), "small")
"""
FILES = {
    ".gitignore": "__pycache__/\n.mlrepro/\n",
    "test_m.py": TEST,
}
INI = "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\nmlrepro_store = {}\nmlrepro_store_limit = 64 KiB\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with s3_server() as running:
        yield running


def project(root: Path, store: str, **more: str) -> Checkout:
    return Checkout(root, {**FILES, "pytest.ini": INI.format(store), **more})


def elsewhere(checkout: Checkout, root: Path) -> Checkout:
    """Return another checkout of it, as `git clone` makes one: without what is ignored."""
    shutil.copytree(checkout.root, root, ignore=shutil.ignore_patterns(".mlrepro", "__pycache__"))
    return Checkout(root, {})


def out(checkout: Checkout, *args: str, code: int = 0, **variables: str) -> str:
    done = checkout.run("-m", "pytest", *args, **variables)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def golden(checkout: Checkout) -> Path:
    (path,) = checkout.root.glob("__golden__/*/*/golden.json")
    return path


def entry(checkout: Checkout) -> dict[str, object]:
    found = json.loads(golden(checkout).read_text())["checks"]["big"]["value"]["array"]["data"]
    assert isinstance(found, dict)
    return found


def texts(root: Path) -> str:
    return "".join(path.read_bytes().decode("latin-1") for path in root.rglob("*") if path.is_file())


@pytest.mark.slow
def test_through_a_server_that_speaks_s3(tmp_path: Path, server: Server) -> None:
    with s3_server() as dying:
        env = dying.environment
        first = project(tmp_path / "first", "s3://goldens/project")
        first.record(**env)
        digest = entry(first)["blake3"]
        mine = [
            name for name in dying.names() if name.startswith("project/")
        ]  # servers of one process share what they hold
        assert mine == [f"project/{str(digest)[:2]}/{digest}.npy"]
        assert entry(first)["file"] == f"{digest}.npy"
        assert not [path for path in golden(first).parent.iterdir() if path.stat().st_size > 64 << 10]
        assert "1 passed" in out(first, **env)
        second, third = elsewhere(first, tmp_path / "second"), elsewhere(first, tmp_path / "third")
        assert "1 passed" in out(second, SHIFT="1e-12", **env)  # within the tolerance: fetched, compared
        assert len(list((second.root / ".mlrepro" / "objects").rglob("*.npy"))) == 1
    # The server is gone.
    assert "1 passed" in out(second, SHIFT="1e-12", **env)
    said = out(second, SHIFT="1", code=1, **env)
    assert "50,000 of 50,000" in said
    assert "1 passed" in out(third, **env)  # equal digests settle it, without the array
    began = time.monotonic()
    said += out(third, SHIFT="1", code=1, **env)
    assert f"The golden needs {digest}.npy (390.8 KiB), and this checkout has no copy." in said
    assert "mlrepro fetch" in said
    assert "s3://goldens/project" in said
    said += third.mlrepro("fetch", code=1, **env)
    assert time.monotonic() - began < 60
    for secret in (KEY, SECRET):
        assert secret not in said
        for checkout in (first, second, third):
            assert secret not in texts(checkout.root)


@pytest.mark.slow
def test_nothing_is_recorded_or_accepted_while_the_store_is_away(tmp_path: Path, server: Server) -> None:
    away = {**server.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    checkout = project(tmp_path / "p", "s3://goldens/away")
    said = out(checkout, "--golden=record", code=1, **away)
    assert "Nothing was recorded: the golden is as it was" in said
    assert not list(checkout.root.glob("__golden__/*/*/golden.json"))
    out(checkout, code=1)  # a proposal needs no store
    said = checkout.mlrepro("accept", "--all", "--reason", "new", code=2, **away)
    assert "Nothing was recorded" in said
    assert not list(checkout.root.glob("__golden__/*/*/golden.json"))
    assert "1 proposal waiting" in checkout.mlrepro("status")
    checkout.mlrepro("accept", "--all", "--reason", "new", **server.environment)
    assert any(str(entry(checkout)["blake3"]) in name for name in server.names())
    assert "1 passed" in out(checkout)


@pytest.mark.slow
def test_a_folder_beside_the_project_and_a_large_array_that_changes(tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", "../store")
    checkout.record()
    assert [path.stem for path in (tmp_path / "store").rglob("*.npy")] == [entry(checkout)["blake3"]]
    assert not (checkout.root / ".mlrepro" / "objects").exists(), "a folder needs no second copy"
    out(checkout, code=1, SHIFT="1")
    assert len(list((tmp_path / "store").rglob("*.npy"))) == 1, "a proposal is for this checkout alone"
    checkout.mlrepro("show", "test_m")
    checkout.mlrepro("accept", "--all", "--reason", "shifted")
    assert len(list((tmp_path / "store").rglob("*.npy"))) == 2
    assert "1 passed" in out(checkout, SHIFT="1")
    assert "verified" in checkout.mlrepro("verify")
    (stored,) = [p for p in (tmp_path / "store").rglob("*.npy") if p.stem == entry(checkout)["blake3"]]
    stored.write_bytes(stored.read_bytes()[:-1] + b"\xff")
    assert "does not hold what was recorded" in checkout.mlrepro("verify", code=1)
    assert "does not hold what was recorded" in out(checkout, code=1, SHIFT="2")


def test_files_in_the_store_are_no_data_of_the_test(tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", "objects")
    checkout.record()
    out(checkout, code=1, SHIFT="1")
    assert "objects/" not in checkout.mlrepro("show", "--provenance", "test_m")


@pytest.mark.slow
def test_parallel_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    pytest.importorskip("fsspec")
    many = TEST + "".join(f"\ndef test_{n}(golden):\n    golden.check(big({n % 2}))\n" for n in range(6))
    found = []
    for name, options in (("serial", []), ("parallel", ["-p", "xdist", "-n", "2"])):
        checkout = project(
            tmp_path / name, f"file://{(tmp_path / (name + '-store')).as_posix()}", **{"test_m.py": many}
        )
        checkout.record(*options, SOURCE_DATE_EPOCH="0")
        goldens = checkout.root / "__golden__"
        files = {str(p.relative_to(goldens)): p.read_bytes() for p in goldens.rglob("*") if p.is_file()}
        stored = sorted(path.name for path in (tmp_path / f"{name}-store").rglob("*") if path.is_file())
        found.append((files, stored))
    assert len(found[0][1]) == 2, "what is equal is stored once"
    assert found[0] == found[1]


@pytest.mark.parametrize("elements", ["50_000", "2_000_000"])
def test_a_run_that_needs_no_array_imports_nothing_for_it(elements: str, tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", "../store", **{"test_m.py": TEST.replace("50_000", elements)})
    checkout.record()
    checkout.write("pytest.ini", INI.format("s3://nowhere/x"))
    checkout.write(
        "conftest.py",
        "import sys\n\ndef pytest_unconfigure():\n    print('loaded', sorted({'fsspec', 's3fs'} & {*sys.modules}))\n",
    )
    assert "loaded []" in out(checkout, "-s")


@pytest.mark.slow
def test_gc_keeps_what_goldens_proposals_and_branches_need(tmp_path: Path) -> None:
    store = tmp_path / "store"
    checkout = project(tmp_path / "p", "../store")

    def stored() -> set[str]:
        return {path.stem for path in store.rglob("*.npy")}

    def update(shift: str) -> str:
        out(checkout, "--golden=update", "--golden-reason=x", SHIFT=shift)
        return str(entry(checkout)["blake3"])

    checkout.record()
    in_history = str(entry(checkout)["blake3"])
    checkout.commit()
    checkout.git("checkout", "-qb", "other")
    on_branch = update("1")
    checkout.commit()
    checkout.git("checkout", "-q", "main")
    in_stash = update("2")
    checkout.git("stash", "-q")
    in_later_stash = update("2.5")
    checkout.git("stash", "-q")  # now the first one is in the reflog alone
    dropped = update("3")
    uncommitted = update("4")
    out(checkout, code=1, SHIFT="5")  # a proposal keeps the small check of the golden, and has the large one itself
    assert stored() == {in_history, on_branch, in_stash, in_later_stash, dropped, uncommitted}
    said = checkout.mlrepro("gc")
    assert "1 not yet referred to and younger than 14 days" in said
    said = checkout.mlrepro("gc", "--grace", "0")
    assert f"unused  {dropped[:2]}/{dropped}.npy" in said
    assert "mlrepro gc --yes" in said
    assert len(stored()) == 6, "listing removes nothing"
    (store / "README.md").write_text("not ours")
    (store / dropped[:2] / ".abc.tmp").write_text("of a write that broke off")
    said = checkout.mlrepro("gc", "--grace", "0", "--yes")
    assert "removed: 2 files" in said
    assert stored() == {in_history, on_branch, in_stash, in_later_stash, uncommitted}
    assert (store / "README.md").exists()
    golden(checkout).write_text("<<<<<<< ours\n" + golden(checkout).read_text())  # in the middle of a merge
    checkout.mlrepro("gc", "--grace", "0", "--yes")
    assert uncommitted in stored()


def test_gc_counts_what_another_work_tree_has_not_committed(tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", (tmp_path / "store").as_posix())
    checkout.record()
    checkout.commit()
    checkout.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Checkout(tmp_path / "side", {})
    out(side, "--golden=update", "--golden-reason=x", SHIFT="1")
    checkout.mlrepro("gc", "--grace", "0", "--yes")
    assert str(entry(side)["blake3"]) in {path.stem for path in (tmp_path / "store").rglob("*.npy")}


@pytest.mark.parametrize("how", ["shallow", "one branch"])
def test_gc_removes_nothing_in_a_clone_that_does_not_know_all_branches(how: str, tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", (tmp_path / "store").as_posix())
    checkout.record()
    checkout.commit()
    options = ["--depth=1"] if how == "shallow" else ["--single-branch"]
    checkout.git("clone", "-q", *options, f"file://{checkout.root}", str(tmp_path / "clone"))
    clone = Checkout(tmp_path / "clone", {})
    (golden(clone)).unlink()
    said = clone.mlrepro("gc", "--grace", "0", "--yes", code=2)
    assert "nothing is removed" in said
    assert ("git fetch --unshallow" if how == "shallow" else "git remote set-branches origin '*'") in said
    assert len(list((tmp_path / "store").rglob("*.npy"))) == 1


def test_what_was_lost_in_the_store_comes_back_from_a_checkout_that_has_it(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    checkout = project(tmp_path / "p", f"file://{(tmp_path / 'store').as_posix()}")
    checkout.record()
    other = elsewhere(checkout, tmp_path / "q")
    shutil.rmtree(tmp_path / "store")
    said = other.mlrepro("fetch", code=1)
    assert "test_m.py::test_m: " in said
    assert said.count(str(entry(checkout)["blake3"])) == 1
    assert "not on this machine" in other.mlrepro("show", "test_m")
    assert "mlrepro push" in said
    assert "1 array in the store" in checkout.mlrepro("push")
    assert "1 array here" in other.mlrepro("fetch", "test_m")
    assert "no golden is of a test" in other.mlrepro("fetch", "nosuch", code=2)


def test_without_a_store_the_commands_say_so(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "p", {"pytest.ini": "[pytest]\n"})
    for command in ("gc", "fetch", "push"):
        assert "has no mlrepro_store" in checkout.mlrepro(command, code=2)


@pytest.mark.slow
def test_a_golden_of_the_past_is_compared_with_its_array_from_the_store(tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", "../store")
    checkout.record()
    checkout.commit()
    out(checkout, "--golden=update", "--golden-reason=x", SHIFT="1")
    assert "50,000" in checkout.mlrepro("diff", "test_m@HEAD", "test_m", code=1)


def test_a_setting_that_is_wrong(tmp_path: Path) -> None:
    checkout = project(tmp_path / "p", "../store")
    checkout.write("pytest.ini", INI.format("../store").replace("64 KiB", "much"))
    done = checkout.run("-m", "pytest")
    assert done.returncode == 4
    assert "mlrepro_store_limit must be a size such as" in done.stderr + done.stdout


def test_the_configuration_on_the_page_about_stores_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "stores.md").read_text("utf-8")
    (tmp_path / "pytest.ini").write_text(page.partition("```ini\n")[2].partition("```")[0], "utf-8")
    assert configured(tmp_path) == (tmp_path, "s3://team-goldens/vision", 2**20)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["../store", "file://{}/store"])
def test_a_search_for_the_reason_finds_the_arrays_too(store: str, tmp_path: Path) -> None:
    if "://" in store:
        pytest.importorskip("fsspec")
    test = "import numpy as np\nfrom values import shift\n\ndef test_m(golden):\n"
    test += "    golden.check(np.arange(50_000.0) + shift(), 'big')\n"
    values = "def shift():\n    return 1.0\n\ndef other():\n    return 1\n"
    checkout = project(tmp_path / "p", store.format(tmp_path.as_posix()), **{"test_m.py": test, "values.py": values})
    checkout.write(
        "conftest.py", "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent))\n"
    )
    checkout.record()
    checkout.commit()
    checkout.change("values.py", "return 1.0", "return 2.0")
    checkout.fail()
    if "://" in store:
        shutil.rmtree(tmp_path / "store")  # what was fetched serves the copy as well
    kept = sorted((checkout.root / ".mlrepro" / "objects").rglob("*.npy"))
    assert "values.shift carries the change" in checkout.mlrepro("explain", "--bisect", "test_m")
    assert sorted((checkout.root / ".mlrepro" / "objects").rglob("*.npy")) == kept


@pytest.mark.slow
def test_jobs_that_push_at_once_and_gc_on_a_server(tmp_path: Path, server: Server) -> None:
    address = f"s3://goldens/{tmp_path.name}"
    checkouts = [project(tmp_path / f"job{n}", address) for n in range(4)]
    command = [sys.executable, "-m", "pytest", "--golden=record"]
    jobs = [
        subprocess.Popen(command, cwd=c.root, env={**c.environment, **server.environment}, stdout=subprocess.PIPE)
        for c in checkouts
    ]
    assert [job.communicate() and job.returncode for job in jobs] == [0] * 4
    name = f"{tmp_path.name}/{str(entry(checkouts[0])['blake3'])[:2]}/{entry(checkouts[0])['blake3']}.npy"
    assert [found for found in server.names() if found.startswith(tmp_path.name)] == [name]
    first = checkouts[0]
    assert "1 array here" in elsewhere(first, tmp_path / "clean").mlrepro("fetch", **server.environment)
    assert "unused" not in first.mlrepro("gc", "--grace", "0", "--yes", **server.environment)
    shutil.rmtree(first.root / "__golden__")
    assert "removed" not in first.mlrepro("gc", "--yes", **server.environment), "it may be on its way to this clone"
    assert "removed: 1 file" in first.mlrepro("gc", "--grace", "0", "--yes", **server.environment)
    assert not [found for found in server.names() if found.startswith(tmp_path.name)]
