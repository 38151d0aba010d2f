"""What all commands share: where the tests are, and how an error of ours ends a command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from ..errors import MlreproError
from .finding import find_root
from .words import plain_lines

__all__ = ["main", "reported"]

P = ParamSpec("P")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pytest-mlrepro")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Root directory of the tests, as pytest prints it (default: found from here upwards).",
)
@click.pass_context
def main(context: click.Context, root: Path | None) -> None:
    """Golden runs: what is recorded, what waits for a decision, why it changed, and whether all is as it was written.

    A golden is recorded by pytest: `pytest --golden=record`.
    """
    context.obj = (root or find_root(Path.cwd())).resolve()


def reported(function: Callable[P, None]) -> Callable[P, None]:
    """Print an error of ours as one message, and leave with status 2."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except MlreproError as error:
            click.secho(plain_lines(f"mlrepro: {error}"), fg="red", err=True)
            sys.exit(2)

    return run
