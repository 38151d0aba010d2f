"""What stands among the loaded modules need not be one."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from pytest_mlrepro.values.origins import module_namespace


class Lib:
    """Says that it is a module, as what cffi puts among them does."""

    __class__ = property(lambda self: ModuleType)  # type: ignore[assignment]


def test_what_only_says_that_it_is_a_module_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(Lib(), ModuleType)
    monkeypatch.setitem(sys.modules, "_lib.lib", Lib())
    assert module_namespace("_lib.lib") is None
    assert module_namespace("sys") is vars(sys)
