"""The command `lineage`: the graph of a test's steps."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from ..golden import pending, store
from ..golden.record import Golden
from ..pipeline.lineage import FORMATS, Format
from ..report.steps import graph
from .entry import main, reported
from .finding import golden_folders, listed, loaded, title

__all__ = ["lineage"]


@main.command()
@click.argument("test")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="tree", show_default=True, help="A tree, Mermaid or DOT."
)
@click.pass_obj
@reported
def lineage(root: Path, test: str, form: Format) -> None:
    """Print the graph of the pipeline steps that are recorded for TEST, a node id or a part of one.

    An arrow is an input that is an earlier output, by content. Of a test that is not recorded yet, the proposal counts.

    \b
      mlrepro lineage test_flow --format mermaid > flow.mmd
      mlrepro lineage test_flow --format dot | dot -Tsvg > flow.svg
    """
    name, golden, folder = _found(root, test)
    if not golden.steps:
        raise UsageError(
            f"{name} has no steps: its test doesn't use the fixture pipeline, or isn't recorded again since"
        )
    click.echo(graph(golden, folder, title=name, form=form), nl=False)


def _found(root: Path, test: str) -> tuple[str, Golden, Path]:
    recorded = {title(folder, root): folder for folder in golden_folders(root)}
    waiting = {proposal.title: proposal.folder for proposal in pending.read_all(root)}
    known = {**waiting, **recorded}
    names = [name for name in known if name == test] or [name for name in known if test in name]
    if not names:
        raise UsageError(f"no golden or proposal is of a test with {test!r} in its id: see  mlrepro status")
    if len(names) > 1:
        raise UsageError(f"{test!r} is in the ids of {len(names)} tests: name one of\n{listed(iter(names))}")
    folder = known[names[0]]
    golden = loaded(folder) if names[0] in recorded else store.load(folder)
    assert golden is not None  # a proposal is read only if it holds one
    return names[0], golden, folder
