"""The run record on disk: whole lines, also after a run that was killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.report.lines import Lines, read

LINE = {"check": "", "kind": "golden", "test": "t", "time": "2026-11-25T10:00:00Z"}


def test_a_line_is_on_disk_before_the_file_is_closed(tmp_path: Path) -> None:
    lines = Lines(tmp_path / "deep" / "r.jsonl")
    lines.write(LINE)
    assert json.loads((tmp_path / "deep" / "r.jsonl").read_text("utf-8")) == LINE
    lines.close()


@pytest.mark.parametrize("kept", range(0, 60, 7))
def test_a_torn_line_is_not_read_and_is_cut_off_before_more_is_written(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "r.jsonl"
    whole = json.dumps({**LINE, "note": "é" * 70_000}) + "\n"
    path.write_text(whole + json.dumps(LINE)[:kept], "utf-8")
    assert len(read(path)) == 1
    lines = Lines(path)
    lines.write(LINE)
    lines.close()
    assert len(read(path)) == 2
    assert [len(json.loads(line)) for line in path.read_text("utf-8").splitlines()] == [5, 4]


def test_a_last_line_that_lacks_only_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(LINE), "utf-8")
    assert read(path) == [LINE]
    Lines(path).close()
    assert path.read_text("utf-8") == json.dumps(LINE) + "\n"


def test_nothing_is_appended_to_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    path.write_text("<xml>", "utf-8")
    with pytest.raises(UsageError, match=r"results\.xml is no run record, and nothing is appended"):
        Lines(path)
    assert path.read_text("utf-8") == "<xml>"
    with pytest.raises(UsageError, match="can't write"):
        Lines(tmp_path)


def test_runs_beside_each_other_don_t_mix_lines(tmp_path: Path) -> None:
    one, two = Lines(tmp_path / "r.jsonl"), Lines(tmp_path / "r.jsonl")
    for _ in range(20):
        one.write(LINE)
        two.write({**LINE, "test": "other"})
    one.close()
    two.close()
    assert [record["test"] for record in read(tmp_path / "r.jsonl")] == ["t", "other"] * 20
