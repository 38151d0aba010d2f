"""Signatures: what was signed is found changed, whoever changed it and however; each reason has its own words."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_mlrepro._canonical import canonical
from pytest_mlrepro._json import json_text
from pytest_mlrepro.audit import anchors
from pytest_mlrepro.audit.envelope import opened, sealed
from pytest_mlrepro.audit.keys import private_key, public_key
from pytest_mlrepro.audit.statement import MEDIA_TYPE, parsed, store_statement
from pytest_mlrepro.audit.stock import holdings
from pytest_mlrepro.errors import GoldenError, UsageError
from pytest_mlrepro.golden import history, store
from tests.unit.audit_cases import A, B, save, two

dsse = pytest.importorskip("securesystemslib.dsse")
pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519  # noqa: E402

KINDS: dict[str, Callable[[], Any]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
PEM, SSH = serialization.Encoding.PEM, serialization.Encoding.OpenSSH
BARE = serialization.NoEncryption()


def write_key(folder: Path, name: str, key: Any, *, ssh: bool = False, password: str = "") -> tuple[Path, Path]:
    """Write a key pair and return the files of the private and the public one."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    form = serialization.PrivateFormat.OpenSSH if ssh else serialization.PrivateFormat.PKCS8
    guard = serialization.BestAvailableEncryption(password.encode()) if password else BARE
    private.write_bytes(key.private_bytes(PEM, form, guard))
    kind = serialization.PublicFormat.OpenSSH if ssh else serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(SSH if ssh else PEM, kind))
    return private, public


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_key(tmp_path_factory.mktemp("keys"), "KEY", ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return two(tmp_path)


def sign(root: Path, key: Path, *, expires: str | None = None) -> Path:
    path = root / "mlrepro.dsse.json"
    statement = store_statement(holdings(root), expires=expires)
    path.write_text(sealed(canonical(statement).encode(), private_key(key))[0], "utf-8", newline="\n")
    return path


def problems(root: Path, public: Path) -> list[str]:
    return [*anchors.by_signature(holdings(root), root / "mlrepro.dsse.json", public).problems]


@pytest.mark.parametrize("ssh", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_signs_and_verifies(root: Path, kind: str, ssh: bool) -> None:
    private, public = write_key(root, kind, KINDS[kind](), ssh=ssh)
    path = sign(root, private)
    assert problems(root, public) == []
    envelope = json.loads(path.read_text("utf-8"))
    assert envelope["payloadType"] == MEDIA_TYPE
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert len(statement["subject"]) == sum(len(one.files) for one in holdings(root))
    assert base64.b64decode(envelope["payload"]).decode() == canonical(statement)


def test_any_reader_of_dsse_verifies_it(root: Path, keys: tuple[Path, Path]) -> None:
    private, public = keys
    data = json.loads(sign(root, private).read_text("utf-8"))
    envelope = dsse.Envelope.from_dict(data)
    assert [*envelope.verify([public_key(public)], 1)] == [public_key(public).keyid]
    payload = envelope.payload
    header = b"DSSEv1 %d %s %d " % (len(MEDIA_TYPE), MEDIA_TYPE.encode(), len(payload))
    key = serialization.load_pem_public_key(public.read_bytes())
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(
        base64.b64decode(json.loads((root / "mlrepro.dsse.json").read_text())["signatures"][0]["sig"]), header + payload
    )


def edited_array(root: Path) -> None:
    (path,) = (root / A).glob("*.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")


def cut_back(root: Path) -> None:
    lines = (root / A / history.FILE).read_text("utf-8").splitlines(keepends=True)
    shutil.rmtree(root / A)
    for number in range(2):
        save(root, np.arange(3.0) + number, f"reason {number}")
    (root / A / history.FILE).write_text("".join(lines[:2]), "utf-8", newline="\n")


def rewritten(root: Path) -> None:
    shutil.rmtree(root / A)
    for number in range(3):
        save(root, np.arange(3.0) + number, f"a better story {number}")


def grown(root: Path) -> None:
    save(root, np.arange(9.0), "later")


def added(root: Path) -> None:
    save(root, 1.0, "new", leaf="test_c-00000000")


def gone(root: Path) -> None:
    shutil.rmtree(root / B)


def missing(root: Path) -> None:
    next((root / A).glob("*.npy")).unlink()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edited_array, ".npy is not the file that was signed on "),
        (missing, ".npy is not the file that was signed on "),
        (cut_back, "has 2 entries, and had 3 at the signature of "),
        (rewritten, "entry 3 is not the one that the signature of "),
        (grown, "was changed after it was signed on "),
        (added, "test_c) is not signed: it was added after "),
        (gone, "test_b) is gone: the signature of "),
    ],
)
def test_each_change_after_signing_has_its_words(
    root: Path, keys: tuple[Path, Path], change: Callable[[Path], None], words: str
) -> None:
    sign(root, keys[0])
    assert problems(root, keys[1]) == []
    change(root)
    (problem,) = problems(root, keys[1])
    assert words in problem


def test_an_older_signature_put_back_with_its_golden_is_found_against_a_later_one(
    root: Path, keys: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = tmp_path_factory.mktemp("before") / "all"
    sign(root, keys[0])
    shutil.copytree(root, before)
    grown(root)
    elsewhere = before.parent / "later.json"
    shutil.copy(sign(root, keys[0]), elsewhere)
    assert problems(before, keys[1]) == []  # by itself it is a store that was signed
    found = anchors.by_checkpoint(holdings(before), elsewhere, keys[1])
    assert ["has 3 entries, and had 4 at the signature of" in problem for problem in found.problems] == [True]
    assert anchors.by_checkpoint(holdings(root), elsewhere, keys[1]).problems == ()


def test_a_signature_as_checkpoint_allows_growth_and_needs_its_key(root: Path, keys: tuple[Path, Path]) -> None:
    path = sign(root, keys[0])
    grown(root)
    found = anchors.by_checkpoint(holdings(root), path, keys[1])
    assert found.problems == ()
    assert "since then: 1 entry added to others" in found.said
    with pytest.raises(UsageError, match="is signed: give the public key too"):
        anchors.by_checkpoint(holdings(root), path, None)


def test_another_key_is_named_with_both_ids(root: Path, keys: tuple[Path, Path]) -> None:
    path = sign(root, keys[0])
    _, other = write_key(root, "other", ed25519.Ed25519PrivateKey.generate())
    mine, theirs = public_key(keys[1]).keyid[:12], public_key(other).keyid[:12]
    with pytest.raises(GoldenError, match=rf"is signed by the key {mine}, and .* is the key {theirs}: somebody else"):
        problems(root, other)
    data = json.loads(path.read_text("utf-8"))
    data["signatures"][0]["keyid"] = public_key(other).keyid  # claims to be the other's
    path.write_text(json_text(data), "utf-8")
    with pytest.raises(GoldenError, match=r"the signature of the key .* does not fit the content"):
        problems(root, other)
    with pytest.raises(GoldenError, match="is signed by the key"):
        problems(root, keys[1])


def test_a_payload_that_was_changed_no_longer_fits(root: Path, keys: tuple[Path, Path]) -> None:
    path = sign(root, keys[0])
    data = json.loads(path.read_text("utf-8"))
    statement = json.loads(base64.b64decode(data["payload"]))
    statement["predicate"]["expires"] = "2999-01-01T00:00:00+00:00"
    data["payload"] = base64.b64encode(canonical(statement).encode()).decode()
    path.write_text(json_text(data), "utf-8")
    with pytest.raises(GoldenError, match="does not fit the content: one of them was changed after signing"):
        problems(root, keys[1])


def test_an_envelope_without_signatures_is_unsigned(root: Path, keys: tuple[Path, Path]) -> None:
    path = sign(root, keys[0])
    path.write_text(json_text(json.loads(path.read_text("utf-8")) | {"signatures": []}), "utf-8")
    with pytest.raises(GoldenError, match="is unsigned: it is an envelope without a signature"):
        problems(root, keys[1])


def test_a_store_without_a_signature_is_unsigned(root: Path, keys: tuple[Path, Path]) -> None:
    assert ["unsigned: there is no " in problem for problem in problems(root, keys[1])] == [True]


@pytest.mark.parametrize(("expires", "count"), [("2020-01-01T00:00:00+00:00", 1), ("2999-01-01T00:00:00+00:00", 0)])
def test_a_signature_past_its_time_is_expired(root: Path, keys: tuple[Path, Path], expires: str, count: int) -> None:
    sign(root, keys[0], expires=expires)
    assert ["expired on 2020-01-01" in problem for problem in problems(root, keys[1])] == [True] * count


def test_what_was_signed_for_another_purpose_is_not_taken(root: Path, keys: tuple[Path, Path]) -> None:
    path = root / "mlrepro.dsse.json"
    other = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:other", "subject": [], "predicate": {}}
    for payload, words in (
        (canonical(other).encode(), "is no statement about goldens: it is 'urn:other'"),
        (b"hello", "is no statement about goldens"),
        (b"[]", "is no statement about goldens"),
        (canonical(other | {"predicateType": "urn:pytest-mlrepro:predicate:golden-store:1"}).encode(), "it lacks"),
    ):
        path.write_text(sealed(payload, private_key(keys[0]))[0], "utf-8")
        with pytest.raises(GoldenError, match=words):
            problems(root, keys[1])
    envelope = dsse.Envelope(b"hello", "text/plain", {})
    envelope.sign(private_key(keys[0]))
    path.write_text(json_text(envelope.to_dict()), "utf-8")
    with pytest.raises(GoldenError, match="holds no in-toto statement: it is 'text/plain'"):
        problems(root, keys[1])


@pytest.mark.slow
@pytest.mark.parametrize("flip", [1, 0x20, 0x80])
def test_each_changed_byte_of_a_signature_is_found(root: Path, keys: tuple[Path, Path], flip: int) -> None:
    path = sign(root, keys[0])
    data, text = path.read_bytes(), path.read_text("utf-8")
    payload, by = opened(text, keys[1], "it")
    assert parsed(payload, "it").point.count == 4
    assert public_key(keys[1]).keyid.startswith(by)
    for place in range(len(data)):
        changed = (data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]).decode("utf-8", "replace")
        with pytest.raises(GoldenError, match=r"damaged|was edited|does not fit|signed by the key"):
            opened(changed, keys[1], "it")
    opened(text.replace("\n", "\r\n"), keys[1], "it")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "space": lambda text: text.replace(": ", ":  ", 1),
    "a field more": lambda text: text.replace("{", '{\n "more": 1,', 1),
    "a field twice": lambda text: text.replace("{", '{\n "payload": "",', 1),
    "a line break in base64": lambda text: text.replace('"payload": "eyJ', '"payload": "ey\\nJ'),
    "an escape": lambda text: text.replace("application/", "application\\/"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_of_a_signature_is_an_edit(root: Path, keys: tuple[Path, Path], spelling: str) -> None:
    text = sign(root, keys[0]).read_text("utf-8")
    changed = SPELLINGS[spelling](text)
    assert changed != text
    with pytest.raises(GoldenError, match=r"was edited or is damaged|is damaged"):
        opened(changed, keys[1], "it")


def test_files_are_signed_with_the_line_ends_of_version_control(root: Path, keys: tuple[Path, Path]) -> None:
    sign(root, keys[0])
    for path in (root / A).iterdir():
        if path.suffix in (".json", ".jsonl"):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert store.problems(root / A) == []
    assert problems(root, keys[1]) == []


def test_keys_that_cannot_be_used_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = write_key(tmp_path, "a", ed25519.Ed25519PrivateKey.generate())
    locked, _ = write_key(tmp_path, "b", ed25519.Ed25519PrivateKey.generate(), password="secret")
    weak, weak_public = write_key(tmp_path, "c", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    other, _ = write_key(tmp_path, "d", x25519.X25519PrivateKey.generate())
    curve, curve_public = write_key(tmp_path, "e", ec.generate_private_key(ec.SECP256K1()))
    old, _ = write_key(tmp_path, "f", dsa.generate_private_key(2048))
    junk = tmp_path / "junk.pem"
    junk.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "utf-8")
    junk_public = tmp_path / "junk.pub"
    junk_public.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "utf-8")
    for read, path, words in (
        (private_key, public, "is a public key, and signing takes the private one"),
        (public_key, private, "is a private key, and verifying takes the public one"),
        (private_key, tmp_path / "nothing", "can't be read: No such file"),
        (public_key, tmp_path / "nothing", "can't be read: No such file"),
        (private_key, junk, "can't be read"),
        (public_key, junk_public, "can't be read as a public key"),
        (private_key, weak, "of 1024 bits, at least 2048"),
        (public_key, weak_public, "of 1024 bits, at least 2048"),
        (private_key, other, "of a kind that can't sign here"),
        (private_key, old, "of a kind that can't sign here"),
        (private_key, curve, "of a kind that can't sign here"),
        (public_key, curve_public, "of a kind that can't sign here"),
        (private_key, locked, "The password is read from the variable MLREPRO_KEY_PASSWORD"),
        (private_key, tmp_path, "can't be read"),
    ):
        with pytest.raises(UsageError, match=words):
            read(path)
    monkeypatch.setenv("MLREPRO_KEY_PASSWORD", "wrong")
    with pytest.raises(UsageError, match="Is MLREPRO_KEY_PASSWORD right"):
        private_key(locked)
    monkeypatch.setenv("MLREPRO_KEY_PASSWORD", "secret")
    private_key(locked)
    with pytest.raises(UsageError, match="MLREPRO_KEY_PASSWORD"):
        private_key(private)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("kind", ["ed25519", "p256", "rsa"])
def test_keys_of_openssl_sign(root: Path, kind: str) -> None:
    private, public = root / "KEY.pem", root / "KEY.pub"
    made = {
        "ed25519": ["-algorithm", "ed25519"],
        "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "rsa": ["-algorithm", "RSA"],
    }[kind]
    subprocess.run(["openssl", "genpkey", *made, "-out", str(private)], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)], check=True)
    sign(root, private)
    assert problems(root, public) == []
