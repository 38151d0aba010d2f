"""The commands `verify`, `sign`, `checkpoint` and `export`, as somebody at a terminal sees them."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_mlrepro import cli
from tests.plugin.project import Project

KEPT = [
    importlib.import_module(name)
    for name in (
        "cryptography.hazmat.primitives.serialization",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
        "securesystemslib.dsse",
        "securesystemslib.signer",
    )
    if importlib.util.find_spec(name.partition(".")[0])
]
"""Imported here, since pytester forgets what is imported while it is at work, and no extension is imported twice."""


def mlrepro(project: Project, *args: str | Path, code: int = 0) -> str:
    """Run the command, hold its exit status, and return what it printed on both streams."""
    result: Result = CliRunner().invoke(cli.main, ["--root", str(project.root), *map(str, args)])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    pytest.importorskip("securesystemslib")
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key, folder = Ed25519PrivateKey.generate(), tmp_path / "keys"
    folder.mkdir()
    private, public = folder / "KEY.pem", folder / "KEY.pub"
    private.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def change(project: Project) -> None:
    """Change the model's golden, with a reason."""
    text = (project.root / "test_m.py").read_text("utf-8")
    project.write(text.replace("0.25", "0.5"))
    project.run("--golden=update", "--golden-reason=better").assert_outcomes(passed=1)


def kept(project: Project, aside: Path) -> None:
    shutil.copytree(project.golden().parent, aside)


def put_back(project: Project, aside: Path) -> None:
    folder = project.golden().parent
    shutil.rmtree(folder)
    shutil.copytree(aside, folder)


def test_without_an_anchor_verify_says_so_and_how_to_get_one(model: Project) -> None:
    text = mlrepro(model, "verify")
    assert "unanchored: a history whose end was cut off" in text
    assert "mlrepro checkpoint -o FILE   or sign:  mlrepro sign --key KEY.pem" in text


def test_a_checkpoint_anchors_and_finds_a_cut_tail_that_verify_alone_does_not(model: Project, tmp_path: Path) -> None:
    kept(model, tmp_path / "aside")
    change(model)
    point = tmp_path / "point.json"
    text = mlrepro(model, "checkpoint", "-o", point)
    assert text.startswith("1 golden, 2 changes on record, head blake3:")
    assert "anchored: 1 golden and 2 changes of" in mlrepro(model, "verify", "--checkpoint", point)
    put_back(model, tmp_path / "aside")
    assert "unanchored" in mlrepro(model, "verify")
    found = mlrepro(model, "verify", "--checkpoint", point, code=1)
    assert "has 1 entry, and had 2 at the checkpoint of" in found
    assert "1 problem in 1 golden" in found


def test_a_checkpoint_is_printed_where_no_file_is_named(model: Project, tmp_path: Path) -> None:
    point = tmp_path / "point.json"
    point.write_text(mlrepro(model, "checkpoint"), "utf-8")
    mlrepro(model, "verify", "--checkpoint", point)


def test_goldens_that_are_all_gone_are_missed(model: Project, tmp_path: Path) -> None:
    mlrepro(model, "checkpoint", "-o", tmp_path / "point.json")
    shutil.rmtree(model.golden().parent)
    assert "is gone: the checkpoint" in mlrepro(model, "verify", "--checkpoint", tmp_path / "point.json", code=1)
    assert "nothing was verified" in mlrepro(model, "verify")


def test_a_signed_store_verifies_until_it_is_changed(model: Project, keys: tuple[Path, Path]) -> None:
    private, public = keys
    assert "unsigned: there is no" in mlrepro(model, "verify", "--key", public, code=1)
    text = mlrepro(model, "sign", "--key", private)
    assert text.startswith("signed by the key ")
    assert "1 golden, 1 change on record, in" in text
    assert "every file is the one that was signed" in mlrepro(model, "verify", "--key", public)
    change(model)
    found = mlrepro(model, "verify", "--key", public, code=1)
    assert "its history has 2 entries, 1 are signed. Review them and sign again" in found
    mlrepro(model, "sign", "--key", private)
    mlrepro(model, "verify", "--key", public)


def test_a_signature_elsewhere_is_used_where_it_is_named(
    model: Project, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    elsewhere = tmp_path / "s.json"
    mlrepro(model, "sign", "--key", private, "-o", elsewhere)
    mlrepro(model, "verify", "--key", public, code=1)
    mlrepro(model, "verify", "--key", public, "--signature", elsewhere)
    change(model)
    mlrepro(model, "verify", "--key", public, "--signature", elsewhere, code=1)
    text = mlrepro(model, "verify", "--key", public, "--checkpoint", elsewhere)
    assert "anchored, signed by the key" in text
    assert "1 entry added to others" in text
    both = mlrepro(model, "verify", "--key", public, "--checkpoint", elsewhere, "--signature", elsewhere, code=1)
    assert "was changed after it was signed" in both


def test_a_plain_checkpoint_with_a_key_is_held_beside_the_signature(
    model: Project, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    point = tmp_path / "point.json"
    mlrepro(model, "checkpoint", "-o", point)
    assert "unsigned" in mlrepro(model, "verify", "--key", public, "--checkpoint", point, code=1)
    mlrepro(model, "sign", "--key", private)
    text = mlrepro(model, "verify", "--key", public, "--checkpoint", point)
    assert "anchored: " in text
    assert "signed by the key" in text


def test_an_expired_signature_is_a_problem(model: Project, keys: tuple[Path, Path]) -> None:
    private, public = keys
    assert "it counts until 20" in mlrepro(model, "sign", "--key", private, "--expires", "1e-9")
    assert "expired on 20" in mlrepro(model, "verify", "--key", public, code=1)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "40000"])
def test_days_that_cannot_be_are_named(model: Project, keys: tuple[Path, Path], days: str) -> None:
    assert "--expires must be a number of days" in mlrepro(model, "sign", "--key", keys[0], "--expires", days, code=2)


def test_mistakes_are_said_with_status_2(model: Project, keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    for arguments, words in (
        (("verify", "--signature", "x"), "--signature is checked with a public key"),
        (("verify", "--key", private), "is a private key"),
        (("verify", "--checkpoint", tmp_path / "no"), "can't be read"),
        (("sign", "--key", public), "is a public key"),
        (("sign", "--key", tmp_path / "no"), "can't be read"),
        (("sign", "--key", private, "-o", tmp_path / "no" / "such" / "x"), "can't be written: No such file"),
        (("checkpoint", "-o", tmp_path / "no" / "such" / "x"), "can't be written: No such file"),
        (("export", "prov", "-o", model.root), "must be a folder that is empty"),
        (("export", "prov", "-o", tmp_path / "x", "--data"), "--data goes into an ro-crate only"),
        (("export", "prov", "-o", tmp_path / "x", "--key", private), "--key signs in-toto statements"),
    ):
        assert words in mlrepro(model, *arguments, code=2), arguments


def test_a_damaged_store_is_neither_signed_nor_noted_nor_exported(
    model: Project, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    path = model.golden()
    path.write_text(path.read_text("utf-8").replace("0.25", "0.26"), "utf-8")
    for arguments in (("sign", "--key", keys[0]), ("checkpoint",), ("export", "in-toto", "-o", tmp_path / "x")):
        text = mlrepro(model, *arguments, code=2)
        assert "as the store is not whole (see  mlrepro verify)" in text
        assert "was edited by hand or damaged" in text
    assert not (tmp_path / "x").exists()
    found = mlrepro(model, "verify", "--key", keys[1], code=1)
    assert "was edited by hand or damaged" in found


def test_a_damaged_golden_is_not_called_gone(model: Project, keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    mlrepro(model, "checkpoint", "-o", tmp_path / "point.json")
    mlrepro(model, "sign", "--key", private)
    path, history = model.golden(), model.golden().with_name("history.jsonl")
    before = path.read_bytes(), history.read_bytes()
    for damaged, content in ((path, b"{"), (history, b""), (history, b"x\n")):
        damaged.write_bytes(content)
        for anchor in (("--checkpoint", tmp_path / "point.json"), ("--key", public)):
            text = mlrepro(model, "verify", *anchor, code=1)
            assert "is gone" not in text
            assert "1 problem in 1 golden" in text
        path.write_bytes(before[0])
        history.write_bytes(before[1])


def test_a_project_without_goldens_has_nothing_to_sign(project: Project) -> None:
    assert "no golden under" in mlrepro(project, "checkpoint", code=2)


def test_an_export_tells_how_to_verify_it_and_that_works(model: Project, tmp_path: Path) -> None:
    text = mlrepro(model, "export", "in-toto", "-o", tmp_path / "out")
    assert "exported 1 golden with 1 change on record as in-toto" in text
    command = text.splitlines()[-1].partition("python ")[2].split()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "unanchored" not in done.stdout


@pytest.mark.parametrize(
    ("form", "module", "extra"),
    [
        ("prov", "prov.model", "prov"),
        ("openlineage", "openlineage.client.serde", "openlineage"),
        ("cyclonedx", "cyclonedx.model", "cyclonedx"),
        ("ro-crate", "rocrate.rocrate", "rocrate"),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    model: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, module: str, extra: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == extra]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, extra, None)
    text = mlrepro(model, "export", form, "-o", tmp_path / "out", code=2)
    assert f"{module} is needed here and is not installed: run  pip install 'pytest-mlrepro[audit]'" in text
    assert not (tmp_path / "out").exists()
