"""Where a golden lies: readable, short, and different for any two tests on any file system."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from blake3 import blake3

from ..errors import GoldenError, UsageError
from ..records import TestId

__all__ = ["array_file", "contract_file", "golden_folder", "hashed", "is_leaf", "pending_folder", "slug"]

SLUG_LENGTH = 40
HASH_LENGTH = 8


def slug(text: str) -> str:
    """Return at most 40 lower-case ASCII letters, digits, `_` and `-`: for people only, never parsed back."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:SLUG_LENGTH].strip("-") or "x"


def hashed(text: str, *secrets: str) -> str:
    """Return the slug of `text` and a hash over all arguments, so that unequal arguments give unequal names."""
    key = "\0".join((text, *secrets)).encode("utf-8", "surrogatepass")
    return f"{slug(text)}-{blake3(key).hexdigest()[:HASH_LENGTH]}"


def is_leaf(name: str) -> bool:
    """Tell whether a folder of this name may be the folder of one test's golden."""
    return re.fullmatch(rf"[a-z0-9_-]{{1,{SLUG_LENGTH}}}-[0-9a-f]{{{HASH_LENGTH}}}", name) is not None


def golden_folder(test: TestId, *, root: Path, golden_dir: str) -> Path:
    """Return the folder of this test's golden.

    `golden_dir` is the name of a folder beside the test file; with a slash in it, it is a folder below `root` that mirrors
    the folders of the tests. The hash covers the file's name and the test's name, not the way to the file, so that a
    checkout elsewhere or another root directory finds the same golden.
    """
    return _module_folder(test.file, root, golden_dir) / hashed(test.name, test.file.name)


@lru_cache(maxsize=8)  # tests come module by module
def _module_folder(file: Path, root: Path, golden_dir: str) -> Path:
    """Return the folder of all goldens of one test file."""
    stem = file.name.removesuffix(".py")
    module = stem if slug(stem) == stem and file.name != stem else hashed(stem, file.name)
    if "/" not in golden_dir and "\\" not in golden_dir:
        return file.parent / golden_dir / module
    return _below(root, root / golden_dir) / _below(root, file.parent).relative_to(root) / module


def _below(root: Path, path: Path) -> Path:
    if not path.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"mlrepro_golden_dir: goldens must lie below the root directory {root}, and {path} does not")
    return path


def array_file(check: str, path: str, content: str) -> str:
    """Return the name of an array's file: of the check, the place in its value, and the content (hexadecimal digest).

    The content takes part, so that a new array never overwrites the one that the golden on disk still refers to.
    """
    return f"{hashed(check or 'value', path, content)}.npy"


def contract_file(check: str) -> str:
    """Return the name of the file in which a contract lies to be edited."""
    return f"{hashed(check)}.toml"


def pending_folder(root: Path, folder: Path) -> Path:
    """Return the folder of a proposal for the golden in `folder`."""
    try:
        relative = folder.relative_to(root).as_posix()
    except ValueError:
        raise GoldenError(
            f"{folder} lies outside of the root directory {root}: run pytest with a --rootdir above it"
        ) from None
    return root / ".mlrepro" / "pending" / hashed(folder.name[: -HASH_LENGTH - 1], relative)
