"""How a child pytest is to be called so that it runs a test as this one would, without what is meant for a whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Option", "kept_arguments"]

DROPPED: Final = frozenset(
    [
        "numprocesses",
        "maxprocesses",
        "dist",
        "distload",
        "tx",
        "px",
        "rsyncdir",
        "rsyncignore",
        "testrunuid",
        "maxworkerrestart",
        "looponfail",
        "loadscopereorder",
        "usepdb",
        "usepdb_cls",
        "trace",
        "maxfail",
        "lf",
        "last_failed",
        "failedfirst",
        "newfirst",
        "stepwise",
        "stepwise_skip",
        "stepwise_reset",
        "cacheshow",
        "cacheclear",
        "last_failed_no_failures",
        "durations",
        "durations_min",
        "collectonly",
        "setuponly",
        "setupshow",
        "setupplan",
        "showfixtures",
        "show_fixtures_per_test",
        "markers",
        "keyword",
        "markexpr",
        "deselect",
        "ignore",
        "ignore_glob",
        "basetemp",
        "xmlpath",
        "junitprefix",
        "pastebin",
        "verbose",
        "reportchars",
        "showcapture",
        "capture",
        "rootdir",
        "inifilename",
        "no_header",
        "no_summary",
        "show_progress",
        "reruns",
        "reruns_delay",
        "only_rerun",
        "rerun_except",
        "fail_on_flaky",
        "golden",
        "golden_reason",
        "mlrepro_json",
        "mlrepro_report",
        "pyargs",
        "version",
        "help",
        "file_or_dir",
        "log_file",
        "log_cli_level",
        "randomly_seed",
        "randomly_reorganize",
    ]
)
"""What says which tests, in which order, how they are shown and where reports go: the child is told tests one by one."""
REPORTS: Final = (
    "cov",
    "no_cov",
    "html",
    "self_contained_html",
    "css",
    "report_",
    "allure",
    "json_report",
    "md",
    "csv",
)
REPORT_PLUGINS: Final = ("benchmark_", "profile", "memray", "monitor", "xdist_")


@dataclass(frozen=True, slots=True)
class Option:
    """What the parser knows of an option."""

    dest: str
    takes: str
    """`one` value, `none`, or `some`: as many as follow that are no options."""


def kept_arguments(arguments: Sequence[str], options: Mapping[str, Option]) -> list[str]:
    """Return the options that a child should have too; test paths, filters and reports are left out."""
    kept: list[str] = []
    for dest, words in _read(list(arguments), options):
        if dest and dest not in DROPPED and not dest.startswith(REPORTS + REPORT_PLUGINS):
            kept += words
    return kept


def _read(arguments: list[str], options: Mapping[str, Option]) -> Iterator[tuple[str, list[str]]]:
    """Yield the destination of each option with its words; "" for words that are none."""
    while arguments:
        word = arguments.pop(0)
        if word == "--":
            return
        name, equals, _ = word.partition("=")
        if word in options:
            option = options[word]
            yield option.dest, [word, *_values(option, arguments)]
        elif equals and name in options:
            yield options[name].dest, [word]
        elif word.startswith("-") and not word.startswith("--") and len(word) > 2:
            yield from _short(word, arguments, options)
        else:
            yield "", [word]


def _values(option: Option, arguments: list[str]) -> list[str]:
    if option.takes == "none" or not arguments:
        return []
    if option.takes == "one":
        return [arguments.pop(0)]
    found = []
    while arguments and not arguments[0].startswith("-"):
        found.append(arguments.pop(0))
    return found


def _short(word: str, arguments: list[str], options: Mapping[str, Option]) -> Iterator[tuple[str, list[str]]]:
    """Yield the options of `-xvs`, `-n4` and `-p no:x` written together."""
    letters = word[1:]
    while letters:
        option = options.get(f"-{letters[0]}")
        if option is None:
            return
        if option.takes == "none":
            yield option.dest, [f"-{letters[0]}"]
            letters = letters[1:]
            continue
        value = [letters[1:]] if letters[1:] else _values(option, arguments)
        yield option.dest, [f"-{letters[0]}", *value]
        return
