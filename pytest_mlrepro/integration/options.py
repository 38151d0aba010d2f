"""Command-line options and ini settings, read into `Settings`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ..errors import UsageError
from ..records import Settings

if TYPE_CHECKING:
    from ..report.ci import Service

__all__ = ["add_options", "child_timeout", "ci_service", "default_seed", "seed_all", "settings"]

CI_VARIABLES = ("CI", "TF_BUILD", "BUILD_NUMBER", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID")


STORE_LIMIT = "1 MiB"


def add_options(parser: pytest.Parser) -> None:
    """Declare what can be said on the command line and in the ini file."""
    group = parser.getgroup("mlrepro", "reproducible tests and golden runs")
    group.addoption(
        "--golden",
        choices=("check", "record", "update"),
        default="check",
        help="check values against their goldens (the default); record those that are missing; "
        "update also those that differ",
    )
    group.addoption("--golden-reason", metavar="TEXT", help="why goldens change; needed with --golden=update")
    group.addoption(
        "--golden-variant",
        metavar="KEYS",
        help="read and write the goldens of this variant alone, such as device,numpy: some of mlrepro_variants",
    )
    group.addoption(
        "--mlrepro-seed",
        type=int,
        metavar="N",
        help="seed of tests whose marker gives none (default: the ini value mlrepro_seed, else 0)",
    )
    group.addoption(
        "--mlrepro-json",
        metavar="FILE",
        help="append a line of JSON for each verdict of this run to FILE (see `mlrepro log --drift`)",
    )
    group.addoption(
        "--mlrepro-report",
        metavar="FILE.html",
        help="write a page that shows every verdict of this run: why, by how much, and a picture",
    )
    group.addoption(
        "--mlrepro-ci",
        choices=("auto", "github", "gitlab", "none"),
        default="auto",
        help="report to a CI service: annotations and a job summary for GitHub, a code-quality report for GitLab "
        "(default: auto, the one that runs this)",
    )
    group.addoption(
        "--mlrepro-code-quality",
        metavar="FILE",
        help="where the code-quality report for GitLab goes (default: gl-code-quality-report.json)",
    )
    parser.addini("mlrepro_scope", "which tests are seeded: marked (the default) or all", default="marked")
    parser.addini("mlrepro_seed", "seed of tests whose marker gives none", default="0")
    parser.addini(
        "mlrepro_golden_dir",
        "folder of the goldens beside each test file; with a slash in it, one folder below the root directory",
        default="__golden__",
    )

    parser.addini(
        "mlrepro_store",
        "where arrays over mlrepro_store_limit lie, named by their digests: a folder, relative to the root directory, or an "
        "address of fsspec such as s3://bucket/goldens (default: beside the other files of their golden)",
        default="",
    )
    parser.addini(
        "mlrepro_store_limit", "size above which arrays go to mlrepro_store (default: 1 MiB)", default=STORE_LIMIT
    )
    parser.addini(
        "mlrepro_track_files",
        "note the files that a test with a golden opens (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "mlrepro_variants",
        "what results may depend on, the most important first: device, gpu, machine, system, blas, python, package names",
        default="",
    )
    parser.addini(
        "mlrepro_child_timeout",
        "seconds that a run in another process may take, for tests that vary what needs one (default: 600)",
        default="600",
    )
    parser.addini(
        "mlrepro_data_dirs",
        "folders outside of the root directory whose files count as data when a test opens them",
        type="paths",
        default=[],
    )


def settings(config: pytest.Config) -> Settings:
    """Return what this run was asked to do; raise pytest's UsageError for what can't be."""
    mode, reason = config.getoption("--golden"), config.getoption("--golden-reason")
    if mode == "update" and not (reason or "").strip():
        raise pytest.UsageError("--golden=update needs --golden-reason 'why the goldens change'")
    golden_dir = config.getini("mlrepro_golden_dir").replace("\\", "/").rstrip("/")
    if not golden_dir or golden_dir.startswith("/") or ".." in golden_dir.split("/"):
        raise pytest.UsageError(f"mlrepro_golden_dir must be a folder below the root directory, got {golden_dir!r}")
    variants, variant = _variants(config)
    return Settings(
        config.rootpath,
        mode,
        reason,
        golden_dir,
        ci=in_ci(),
        track_files=config.getini("mlrepro_track_files"),
        data_dirs=tuple(config.getini("mlrepro_data_dirs")),
        variants=variants,
        variant=variant,
        store=config.getini("mlrepro_store").strip(),
        store_limit=_store_limit(config),
    )


def _store_limit(config: pytest.Config) -> int:
    """Return how large an array may be that stays with its golden."""
    text = config.getini("mlrepro_store_limit")
    if text == STORE_LIMIT:
        return 2**20
    from ..golden.configured import read_size  # brings parsers that a start of pytest does without

    try:
        return read_size(text)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _variants(config: pytest.Config) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Return the declared keys of variants, and those that this run is of."""
    text, asked = config.getini("mlrepro_variants"), config.getoption("--golden-variant")
    if not text and asked is None:
        return (), None
    from ..golden.variants import declared_keys, named_keys  # a run without them never loads it

    try:
        declared = declared_keys(text)
        return declared, None if asked is None else named_keys(asked, declared)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def in_ci() -> bool:
    """Tell whether this is a run of a CI service, by the variables that they set."""
    return any(os.environ.get(name, "").lower() not in ("", "0", "false", "no") for name in CI_VARIABLES)


def ci_service(config: pytest.Config) -> Service:
    """Return which CI service is told of this run."""
    asked = config.getoption("--mlrepro-ci")
    if asked == "none" or (asked == "auto" and not os.environ.keys() & {"GITHUB_ACTIONS", "GITLAB_CI"}):
        return "none"
    from ..report.ci import service_of  # other runs never load it

    return service_of(asked, os.environ)


def seed_all(config: pytest.Config) -> bool:
    """Tell whether tests without the marker are seeded too."""
    scope = config.getini("mlrepro_scope")
    if scope not in ("marked", "all"):
        raise pytest.UsageError(f"mlrepro_scope must be marked or all, got {scope!r}")
    return bool(scope == "all")


def default_seed(config: pytest.Config) -> int:
    """Return the seed of tests whose marker gives none."""
    asked, text = config.getoption("--mlrepro-seed"), config.getini("mlrepro_seed")
    try:
        seed = int(text) if asked is None else int(asked)
    except ValueError:
        raise pytest.UsageError(f"mlrepro_seed must be a whole number, got {text!r}") from None
    if seed < 0:
        raise pytest.UsageError(f"the seed must not be negative, got {seed}")
    return seed


def child_timeout(config: pytest.Config) -> float:
    """Return how many seconds a run in another process may take."""
    text = config.getini("mlrepro_child_timeout")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise pytest.UsageError(f"mlrepro_child_timeout must be a number of seconds, more than 0, got {text!r}")
    return seconds
