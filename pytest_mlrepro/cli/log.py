"""`mlrepro log`: who changed goldens, when and why; and what the run record tells of verdicts over time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from .._json import json_text
from ..errors import GoldenError, UsageError
from ..golden import history
from ..golden.record import titled
from ..report.course import course_lines
from ..report.lines import read
from .entry import main, reported
from .finding import golden_folders, loaded
from .words import plain

__all__ = ["log"]

DEFAULT = "mlrepro.jsonl"
SCHEMA = 1


@main.command()
@click.argument("what", metavar="[TESTS | FILES]", nargs=-1)
@click.option("--drift", is_flag=True, help="Show the course of each drift statistic, and slow trends below the alarm.")
@click.option("-n", "limit", type=click.IntRange(min=1), help="So many changes at most, the latest.")
@click.option("--json", "as_json", is_flag=True, help="Print the changes of goldens as JSON.")
@click.pass_obj
@reported
def log(root: Path, what: tuple[str, ...], drift: bool, limit: int | None, as_json: bool) -> None:
    """Show the changes of goldens, the latest first: when, what, who, at which commit, why, and the greatest difference.

    TESTS are node ids, or parts of them. Given FILES that `pytest --mlrepro-json FILE` has written, show the verdicts in
    them instead; with --drift the course of each drift statistic (default: mlrepro.jsonl).
    """
    files = [Path(name) for name in what if Path(name).is_file()]
    if drift or files:
        if len(files) < len(what):
            wrong = next(name for name in what if not Path(name).is_file())
            raise UsageError(f"can't read {wrong}: no such file, and tests can't be named beside files")
        _runs(root, files, drift=drift)
        return
    entries = sorted(_entries(root, what), key=lambda entry: str(entry[1]["time"]), reverse=True)[:limit]
    if as_json:
        changes = [{"test": nodeid, **entry} for nodeid, entry in entries]
        click.echo(json_text({"schema": SCHEMA, "changes": changes}), nl=False)
        return
    if not entries:
        if what:
            raise UsageError(
                f"no golden is of a test with {' or '.join(map(repr, what))} in its id: see  mlrepro status"
            )
        click.echo(f"no golden under {root}, and so no history")
    for title, entry in entries:
        _print(title, entry)


def _entries(root: Path, tests: tuple[str, ...]) -> Iterator[tuple[str, history.Entry]]:
    """Yield each change of the goldens that are meant, oldest first within a golden so that a sort keeps their order."""
    titles = {}
    for folder in golden_folders(root):
        try:
            golden = loaded(folder)
            titles[folder] = titled(golden.nodeid(folder, root), golden.variant)
        except GoldenError:
            titles[folder] = folder.relative_to(root).as_posix()
    exact = {test for test in tests if test in titles.values()}
    for folder, title in titles.items():
        if not tests or title in exact or any(test in title for test in tests if test not in exact):
            try:
                yield from reversed([(title, entry) for entry in history.read(folder)])
            except GoldenError as error:
                click.secho(f"mlrepro: {error}", fg="red", err=True)


def _print(title: str, entry: history.Entry) -> None:
    commit = str(entry["commit"])[:10] if entry["commit"] else "no commit"
    click.secho(plain(f"{entry['time']}  {entry['action']:7} {title}"), bold=True)
    click.echo(plain(f"  {entry['author']}, {commit}: {entry['reason']}"))
    if entry["change"]:
        click.echo(plain(f"  {entry['change']}"))


def _runs(root: Path, files: list[Path], *, drift: bool) -> None:
    chosen = files or [root / DEFAULT]
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
