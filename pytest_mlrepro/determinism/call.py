"""One call of a function in a process of its own, started under other variables; what it gives comes back in a folder.

The function and its arguments travel as `multiprocessing` sends them to any process that it spawns.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import MlreproError, UsageError
from ..seeding.scope import SeedScope
from ..seeding.stream import Settings
from .kept import Kept
from .traces import traced

__all__ = ["Call", "call_in_child"]

FAILURE = "failure.txt"
_STARTING = threading.Lock()


@dataclass(frozen=True)
class Call:
    """A function with its arguments, and how it is seeded."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    settings: Settings | None

    @property
    def name(self) -> str:
        """What messages call the function."""
        return name_of(self.function)

    def packed(self) -> tuple[bytes, dict[str, str]]:
        """Return the call as bytes, and the files of the modules that it needs; UsageError if it can't travel."""
        try:
            data = pickle.dumps((self.function, self.args, dict(self.kwargs), self.settings))
        except Exception as error:  # noqa: BLE001  # pickle raises what the objects raise
            raise UsageError(
                f"assert_reproducible: {self.name} and its arguments can't be sent to a process of their own "
                f"({type(error).__name__}: {error}). Define what it takes at the top of a module, not inside a function"
            ) from None
        return data, _files([self.function, *self.args, *self.kwargs.values()])


def name_of(function: object) -> str:
    """Return what a person calls a function, a method, a partial or another callable."""
    inner = getattr(function, "func", function)
    return getattr(inner, "__qualname__", type(inner).__qualname__)


def call_in_child(call: Call, folder: Path, variables: Mapping[str, str], *, trace: Path | None = None) -> Kept | str:
    """Call in a fresh process that starts with these variables; return what it gave, or in words how it failed.

    Raises UsageError for a call that can't travel to another process.
    """
    packed, files = call.packed()
    context = multiprocessing.get_context("spawn")
    arguments = (packed, files, str(folder), str(trace) if trace else None)
    process = context.Process(target=_run, args=arguments, name="mlrepro-child")
    with _variables(variables):
        process.start()
    process.join()
    kept = Kept.read(folder)
    if kept is not None:
        return kept
    failure = folder / FAILURE
    if failure.exists():
        return failure.read_text("utf-8", "replace")
    return f"the process ended with exit status {process.exitcode} before {call.name} returned"


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables while a process starts, which takes those of its parent."""
    with _STARTING:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _files(values: list[Any]) -> dict[str, str]:
    """Return module names and files: pytest can import a module by its file alone, and then no name leads to it."""
    found = {}
    for value in values:
        inner = getattr(value, "func", value)
        for name in {getattr(inner, "__module__", None), type(inner).__module__} - {None, "__main__", "builtins"}:
            file = getattr(sys.modules.get(str(name)), "__file__", None)
            if file and "site-packages" not in file:
                found[str(name)] = file
    return found


def _run(packed: bytes, files: dict[str, str], folder: str, trace: str | None) -> None:
    """Run the call in the child, and leave in the folder what it gave or how it failed."""
    try:
        for name, file in files.items():
            _import(name, file)
        function, args, kwargs, settings = pickle.loads(packed)  # noqa: S301  # made by our own parent process
        call = Call(function, args, kwargs, settings)
        with traced(Path(trace) if trace else None, Path.cwd()) as recorder:
            result = called(call)
            if recorder is not None:
                recorder.checked("the result", result)
        Kept.of(result, Path(folder)).write()
    except MlreproError as error:
        (Path(folder) / FAILURE).write_text(f"{type(error).__name__}: {error}", "utf-8")
    except BaseException as error:  # noqa: BLE001  # whatever it raises, the parent tells it
        last = "".join(traceback.format_exception_only(error)).strip()
        (Path(folder) / FAILURE).write_text(f"it raised {last}", "utf-8")


def _import(name: str, file: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def called(call: Call) -> Any:
    """Return what the function returns, seeded if the call is; a coroutine is awaited."""
    import inspect

    if call.settings is None:
        result = call.function(*call.args, **call.kwargs)
        return _awaited(result) if inspect.iscoroutine(result) else result
    with SeedScope.of(call.settings):
        result = call.function(*call.args, **call.kwargs)
        return _awaited(result) if inspect.iscoroutine(result) else result


def _awaited(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)
