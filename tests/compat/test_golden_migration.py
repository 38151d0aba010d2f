"""Stores of other schemas: those of today are read as they are, a newer one is refused, an older one is lifted step by step."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_mlrepro import cli
from pytest_mlrepro._json import Json
from pytest_mlrepro.errors import GoldenError
from pytest_mlrepro.golden import history, migrations, store
from pytest_mlrepro.golden.record import _seal

KEPT = {1: Path(__file__).parent / "golden-1", 2: Path(__file__).parent / "golden-2"}


def folder_of(root: Path) -> Path:
    (path,) = root.rglob("golden.json")
    return path.parent


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The store of schema 1."""
    shutil.copytree(KEPT[1], tmp_path / "store")
    return folder_of(tmp_path / "store")


def rewrite(folder: Path, change) -> None:
    """Change a golden's content and seal it anew, as another version would have written it."""
    path = folder / "golden.json"
    data = json.loads(path.read_text("utf-8"))
    change(data)
    data["seal"] = ""
    text = json.dumps(data, sort_keys=True, indent=1) + "\n"
    path.write_text(text.replace('\n "seal": ""', f'\n "seal": "{_seal(text)}"'), "utf-8")


def older(data: Json) -> None:
    """Write the form of an imagined schema -1, from which two upgrades lead to the present one."""
    data["schema"] = -1
    data["values"] = [{"called": name, **check} for name, check in data.pop("checks").items()]
    data["test_name"] = data.pop("test")


UPGRADES = {
    -1: lambda data: {**data, "schema": 0, "test": data["test_name"]},
    0: lambda data: {**data, "schema": 1, "checks": {value.pop("called"): value for value in data["values"]}},
}


@pytest.mark.parametrize("schema", KEPT)
def test_a_store_of_a_schema_of_today_is_left_as_it_is(tmp_path: Path, schema: int) -> None:
    shutil.copytree(KEPT[schema], tmp_path / "store")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert migrations.migrate(folder_of(tmp_path), tmp_path) is None
    result = CliRunner().invoke(cli.main, ["--root", str(tmp_path), "migrate"])
    assert (result.exit_code, result.output) == (0, f"1 golden of schema {schema}, which this version reads\n")
    assert {path: path.read_bytes() for path in before} == before


def test_an_older_store_is_lifted_with_its_values_and_an_entry_in_its_history(kept: Path) -> None:
    wanted = store.load(kept)
    rewrite(kept, older)
    with pytest.raises(GoldenError, match="has schema -1, which an older version wrote: run  mlrepro migrate"):
        store.load(kept)
    old_seal = json.loads((kept / "golden.json").read_text("utf-8"))["seal"]
    history_before = (kept / "history.jsonl").read_bytes()
    assert migrations.migrate(kept, kept.parent, UPGRADES) == (-1, 1)
    assert store.load(kept) == wanted
    assert (kept / "history.jsonl").read_bytes().startswith(history_before)
    last = history.read(kept)[-1]
    assert (last["action"], last["old"], last["new"]) == ("migrate", old_seal, wanted.seal)
    assert [problem for problem in store.problems(kept) if "starts from a golden that no entry" not in problem] == []
    assert migrations.migrate(kept, kept.parent, UPGRADES) is None


def test_an_older_store_without_a_way_to_today_is_refused_and_stays(kept: Path) -> None:
    rewrite(kept, older)
    before = {path: path.read_bytes() for path in kept.iterdir()}
    result = CliRunner().invoke(cli.main, ["--root", str(kept.parent.parent), "migrate"])
    assert result.exit_code == 2
    assert "has schema -1, from which this version knows no way to a later one" in result.output
    assert {path: path.read_bytes() for path in kept.iterdir()} == before


def test_a_newer_store_is_refused_with_a_clear_word(kept: Path) -> None:
    rewrite(kept, lambda data: data.update(schema=3))
    result = CliRunner().invoke(cli.main, ["--root", str(kept.parent.parent), "migrate"])
    assert result.exit_code == 2
    assert "has schema 3, this version knows 2: update pytest-mlrepro" in result.output


def test_an_older_store_that_was_edited_is_not_lifted(kept: Path) -> None:
    rewrite(kept, older)
    path = kept / "golden.json"
    path.write_text(path.read_text("utf-8").replace('"epochs"', '"epoch"'), "utf-8")
    with pytest.raises(GoldenError, match="was edited by hand or damaged"):
        migrations.migrate(kept, kept.parent, UPGRADES)


def test_every_schema_that_is_not_read_as_it_is_has_an_upgrade() -> None:
    assert sorted(migrations.UPGRADES) == list(range(1, migrations.OLDEST))
