"""One function for values, files and code."""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pytest_mlrepro import FingerprintError, fingerprint
from pytest_mlrepro.fingerprints.code import fingerprint_code
from pytest_mlrepro.fingerprints.files import fingerprint_path

RATE = 0.5


def fit(x: float, y: float = 1.0) -> float:
    return x * y * RATE


def other(x: float) -> float:
    return x


def test_a_path_is_its_content_and_a_string_is_a_string(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc")
    assert fingerprint(file) == fingerprint_path(file)
    assert fingerprint(tmp_path).kind == "folder"
    assert fingerprint(str(file)).kind == "str"
    assert fingerprint({"path": file}).parts[0][1].kind == "path"


def test_a_function_is_the_code_that_it_reaches() -> None:
    found = fingerprint(fit)
    assert found == fingerprint_code([fit], project=Path(__file__).parent.parent.parent)
    assert {name.rpartition(".")[2] for name, part in found.parts if part.kind != "package"} == {"fit", "RATE"}
    assert fingerprint(other) != found


def test_the_arguments_of_a_partial_count() -> None:
    digests = {
        fingerprint(value).digest
        for value in (fit, functools.partial(fit, 1.0), functools.partial(fit, 2.0), functools.partial(fit, y=1.0))
    }
    assert len(digests) == 4


def test_a_module_is_its_code() -> None:
    assert fingerprint(sys.modules[__name__]).kind == "code"


def test_what_is_installed_goes_by_its_name() -> None:
    assert fingerprint(np.mean) != fingerprint(np.sum)
    assert fingerprint(int) != fingerprint(str)
    assert fingerprint(math.sqrt).kind == "function"


def test_a_function_without_source_is_refused_with_what_to_do() -> None:
    names: dict[str, object] = {}
    exec("made = lambda x: x + 1", names)
    with pytest.raises(FingerprintError, match=r"made by exec or eval.*__mlrepro__"):
        fingerprint(names["made"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FingerprintError, match=r"nothing\.csv doesn't exist"):
        fingerprint(tmp_path / "nothing.csv")


def test_a_module_made_by_hand_is_code_without_parts() -> None:
    assert fingerprint(ModuleType("made")).kind == "code"
