"""The verifier beside an export: it needs nothing, agrees with the libraries, and finds each changed byte."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import blake3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro._canonical import canonical
from pytest_mlrepro.audit import export, standalone
from pytest_mlrepro.audit.stock import holdings, require_whole
from pytest_mlrepro.golden import history
from tests.unit.audit_cases import kept, save, two
from tests.unit.test_canonical import VALUES


def exported(root: Path, out: Path) -> str:
    """Export a store in the one format of ours that needs no library, and return the digest of its sums."""
    return export.export("in-toto", require_whole(root, nothing="nothing"), root, out).sha256


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, str]:
    root = tmp_path / "project"
    root.mkdir()
    return tmp_path / "out", exported(two(root), tmp_path / "out")


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    printed = io.StringIO()
    with redirect_stdout(printed):
        status = standalone.main([*arguments], folder)
    return status, printed.getvalue()


def alone(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run the copy that lies in an export, as somebody without any library would."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@settings(max_examples=60)
@given(
    st.binary(max_size=200)
    | st.integers(0, 9000).map(lambda size: bytes(range(256)) * (size // 256) + b"x" * (size % 256))
)
def test_its_blake3_is_blake3(data: bytes) -> None:
    assert standalone.blake3(data) == blake3.blake3(data).digest()


@pytest.mark.parametrize(
    "size", [0, 1, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2048, 2049, 3072, 3073, 4096, 5121, 8193]
)
def test_its_blake3_is_blake3_at_the_edges(size: int) -> None:
    data = hashlib.shake_128(str(size).encode()).digest(size)
    assert standalone.blake3(data) == blake3.blake3(data).digest()


@given(VALUES)
def test_its_canonical_json_is_ours(value: object) -> None:
    assert standalone.canonical(value) == canonical(value)


def test_it_runs_alone_and_says_unanchored(made: tuple[Path, str]) -> None:
    folder, digest = made
    text = alone(folder)
    assert text.startswith("verified: 8 files, 2 goldens, 4 changes on record, all as they were made\nunanchored: ")
    assert digest in text
    assert "unanchored" not in alone(folder, "--expect", digest)
    assert "is not the one that was made" in alone(folder, "--expect", "0" * 64, code=1)
    assert "python -I -S verify.py" in alone(folder, "--help")
    alone(folder, "--expect", code=2)
    alone(folder, "--nonsense", code=2)


def test_sha256sum_reads_the_sums(made: tuple[Path, str]) -> None:
    folder, digest = made
    assert hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest() == digest
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


@pytest.mark.slow
def test_changed_bytes_all_over_are_found(made: tuple[Path, str]) -> None:
    folder, _ = made
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "verify.py"):
        data = path.read_bytes()
        for place in range(0, len(data), 2 if path.name == "SHA256SUMS" else 9):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            status, text = verify(folder)
            assert status == 1, f"{path.name}, byte {place}: {text}"
        path.write_bytes(data)
    assert verify(folder)[0] == 0


def test_changed_bytes_are_found_by_a_run_alone(made: tuple[Path, str]) -> None:
    folder, _ = made
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "verify.py"):
        data = path.read_bytes()
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        assert "this export is NOT as it was made" in alone(folder, code=1)
        path.write_bytes(data)
    verifier = folder / "verify.py"
    verifier.write_text(verifier.read_text("utf-8").replace("Verify an export", "Verify any export"), "utf-8")
    assert "verify.py was changed" in alone(folder, code=1)


def test_files_that_were_added_dropped_or_linked_are_found(made: tuple[Path, str]) -> None:
    folder, _ = made
    (folder / "records" / "more.json").write_text("{}", "utf-8")
    assert "records/more.json was added" in alone(folder, code=1)
    (folder / "records" / "more.json").unlink()
    (folder / "link").symlink_to(folder.parent)
    assert "link was added" in alone(folder, code=1)
    (folder / "link").unlink()
    next(folder.rglob("history.jsonl")).unlink()
    text = alone(folder, code=1)
    assert "history.jsonl is missing" in text
    (folder / "SHA256SUMS").unlink()
    assert "is no export: it has no SHA256SUMS" in alone(folder, code=2)


def summed(folder: Path) -> None:
    """Make the sums anew, as somebody who changes an archive would."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), "utf-8", newline="\n")


@pytest.mark.slow
def test_changed_bytes_of_the_records_are_found_though_the_sums_were_made_anew(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    exported(kept(root), tmp_path / "out")
    folder = tmp_path / "out"
    records = [path for path in folder.rglob("*.json*") if path.name in ("golden.json", "history.jsonl")]
    assert len(records) == 4
    for path in records:
        data = path.read_bytes()
        for place in range(0, len(data), 7):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            files = {record.relative_to(folder).as_posix(): "" for record in records}
            with pytest.raises((standalone.ChangedError, ValueError, KeyError, TypeError, OSError, AttributeError)):
                standalone.check_golden(folder, path.parent.relative_to(folder).as_posix(), files, deep=False)
        path.write_bytes(data)


def test_histories_of_all_schemas_are_verified(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    digest = exported(kept(root), tmp_path / "out")
    assert "2 goldens, 4 changes on record" in alone(tmp_path / "out", "--expect", digest)


@pytest.mark.parametrize("fault", ["edited", "dropped", "swapped", "cut", "respelled", "provenance", "later"])
def test_a_fault_in_the_records_is_found_though_the_sums_were_made_anew(tmp_path: Path, fault: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for number in range(3):
        save(root, np.arange(3.0) + number, f"reason {number}")
    exported(root, tmp_path / "out")
    path = next((tmp_path / "out").rglob("history.jsonl"))
    lines = path.read_text("utf-8").splitlines()
    if fault == "edited":
        lines[1] = lines[1].replace("reason 1", "reason 9")
    elif fault == "dropped":
        del lines[1]
    elif fault == "swapped":
        lines[0], lines[1] = lines[1], lines[0]
    elif fault == "cut":
        del lines[2]
    elif fault == "respelled":
        lines[1] = lines[1].replace(",", ", ", 1)
    elif fault == "later":
        entry = json.loads(lines[1]) | {"schema": 3}
        lines[1] = canonical(entry)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", newline="\n")
    if fault == "provenance":
        golden = path.with_name("golden.json")
        golden.write_text(golden.read_text("utf-8").replace('"tolerance": {}', '"tolerance": {"rtol": 9}'), "utf-8")
    summed(tmp_path / "out")
    assert "NOT as it was made" in alone(tmp_path / "out", code=1)


def test_a_rewritten_export_is_whole_by_itself_and_not_the_one_that_was_kept(made: tuple[Path, str]) -> None:
    folder, digest = made
    root = folder.parent / "project"
    shutil.rmtree(root / "__golden__")
    save(root, 1.0, "a better story")
    shutil.rmtree(folder)
    exported(root, folder)
    assert "unanchored" in alone(folder)
    assert "is not the one that was made" in alone(folder, "--expect", digest, code=1)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b"])
def test_paths_that_lead_out_are_refused(made: tuple[Path, str], path: str) -> None:
    folder, _ = made
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text("utf-8") + f"{'0' * 64}  {path}\n", "utf-8")
    assert "is damaged" in alone(folder, code=1)


def test_large_arrays_are_left_to_the_sums_unless_asked(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    folder = save(root, np.arange(40_000.0), "first")
    held = holdings(root)
    records = tmp_path / "out" / "records" / f"{held[0].folder}.golden"
    shutil.copytree(folder, records)
    summed(tmp_path / "out")
    assert "checked by SHA-256 alone: 1 large file;" in verify(tmp_path / "out")[1]
    assert "large" not in verify(tmp_path / "out", "--deep")[1]
    (array,) = records.glob("*.npy")
    array.write_bytes(array.read_bytes()[:-1] + b"\x01")
    summed(tmp_path / "out")
    assert verify(tmp_path / "out")[0] == 0
    status, text = verify(tmp_path / "out", "--deep")
    assert (status, "is not the file that was recorded" in text) == (1, True)
    array.write_bytes(b"")
    summed(tmp_path / "out")
    assert "has another size" in verify(tmp_path / "out")[1]


def test_it_unpacks_an_envelope_for_openssl(
    made: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = made
    monkeypatch.chdir(tmp_path)
    envelope = {"payload": base64.b64encode(b"hello").decode(), "payloadType": "text/plain"}
    envelope |= {"signatures": [{"keyid": "k", "sig": base64.b64encode(b"sig").decode()}]}  # type: ignore[dict-item]
    Path("x.dsse.json").write_text(json.dumps(envelope), "utf-8")
    assert "openssl pkeyutl -verify" in alone(folder, "--unpack", "x.dsse.json")
    assert Path("x.dsse.json.signed").read_bytes() == b"DSSEv1 10 text/plain 5 hello"
    assert Path("x.dsse.json.1.sig").read_bytes() == b"sig"
    for text in ("", "[]", "{}", '{"payload": 1, "payloadType": "x", "signatures": []}'):
        Path("y.json").write_text(text, "utf-8")
        assert "is no DSSE envelope" in alone(folder, "--unpack", "y.json", code=2)


def test_the_copy_is_the_module(made: tuple[Path, str]) -> None:
    assert (made[0] / "verify.py").read_bytes() == Path(standalone.__file__).read_bytes()
    assert history.FILE in export.RECORDS
