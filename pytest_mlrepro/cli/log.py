"""`mlrepro log`: what the run record tells of verdicts over time."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from ..report.course import course_lines
from ..report.lines import read
from .entry import main, reported
from .words import plain

__all__ = ["log"]

DEFAULT = "mlrepro.jsonl"


@main.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--drift", is_flag=True, help="Show the course of each drift statistic, and slow trends below the alarm.")
@click.pass_obj
@reported
def log(root: Path, files: tuple[Path, ...], drift: bool) -> None:
    """Show verdicts over time, from the FILES that `pytest --mlrepro-json FILE` appends to (default: mlrepro.jsonl)."""
    chosen = files or (root / DEFAULT,)
    if not files and not chosen[0].exists():
        raise UsageError(
            f"no run record: there is no {DEFAULT} in {root}. Write one with  pytest --mlrepro-json {DEFAULT}\n"
            "or name the files that your runs append to"
        )
    records = sorted((record for path in chosen for record in read(path)), key=lambda record: str(record["time"]))
    if not drift:
        for record in records:
            click.echo(plain(f"{record['time']}  {record.get('outcome', ''):8}  {_title(record)}"))
        return
    lines = [*course_lines(records)]
    if not lines:
        raise UsageError(f"{', '.join(map(str, chosen))} holds no verdict of a drift check")
    for line in lines:
        click.echo(plain(line))


def _title(record: dict[str, object]) -> str:
    check = f"  {record['check']}" if record["check"] else ""
    verdict = f"  {record['kind']}: {record['verdict']}" if "verdict" in record else ""
    return f"{record['test']}{check}{verdict}"
