"""A process that runs single tests on demand: started once, asked many times, and told of plainly when it dies."""

from __future__ import annotations

import _thread
import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from .._json import Json

__all__ = ["Child", "ChildError", "Launch"]

START: Final = (
    "import json, sys\n"
    "with open(sys.argv[1], encoding='utf-8') as file:\n"
    "    launch = json.load(file)\n"
    "sys.path[:] = launch['path']\n"
    "sys.argv[:] = ['pytest']\n"
    "from pytest_mlrepro.integration.serving import serve\n"
    "serve(launch)\n"
)
"""sys.path comes first, so that the child finds what this process found, this package too."""
TAIL: Final = 2000


class ChildError(Exception):
    """A child that can't run a test: it could not start, died, or came to no end. The text says which."""


@dataclass(frozen=True)
class Launch:
    """How children of this process are started."""

    arguments: tuple[str, ...]
    folder: Path
    """Their working directory."""
    environment: Mapping[str, str]
    seconds: float
    """How long one request may take."""


class Child:
    """One such process."""

    def __init__(self, launch: Launch, scratch: Path, environment: Mapping[str, str]) -> None:
        self._seconds, self._log = launch.seconds, scratch / "output.txt"
        self.served = 0
        scratch.mkdir(parents=True, exist_ok=True)
        file = scratch / "launch.json"
        own = (f"--basetemp={scratch / 'tmp'}",)
        data = {"path": sys.path, "arguments": [*launch.arguments, *own], "log": str(self._log)}
        file.write_text(json.dumps(data), "utf-8")
        self._process = subprocess.Popen(  # noqa: S603  # our own Python, no shell
            [sys.executable, *_flags(), "-c", START, str(file)],
            cwd=launch.folder,
            env={**launch.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process, which ends the child; and all that it started with it
        )
        self.began = False
        """Whether it came so far as to look for tests."""
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        assert self._process.stdout is not None  # asked for above
        # not by `threading`: its threads take numbers that seeds are derived from in a seeded test
        _thread.start_new_thread(_listen, (self._process.stdout, self._answers))

    def ask(self, request: Mapping[str, Json]) -> Any:
        """Send a request and return the answer; ChildError if there is none."""
        assert self._process.stdin is not None  # asked for above
        self.served += 1
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise ChildError(self._end()) from None
        if not self.began:
            self._answer()
            self.began = True
        return json.loads(self._answer())

    def _answer(self) -> bytes:
        try:
            answer = self._answers.get(timeout=self._seconds)
        except queue.Empty:
            self.kill()
            raise ChildError(
                f"there was no end after {self._seconds:g} s (the ini setting mlrepro_child_timeout)"
            ) from None
        if not answer:
            raise ChildError(self._end())
        return answer

    def _end(self) -> str:
        """Return how the process ended, with the last that it wrote."""
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            return "the process stopped answering"
        text = self._log.read_text("utf-8", "replace")[-TAIL:].strip() if self._log.exists() else ""
        lines = [f"  {line}" for line in text.splitlines() if line.strip()][-12:]
        return "\n".join([f"the process ended with {_status(code)}{':' if lines else ''}", *lines])

    def close(self) -> None:
        """Let the process tear down its fixtures and end; kill it if it doesn't."""
        assert self._process.stdin is not None  # asked for above
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def kill(self) -> None:
        """End the process and those that it started."""
        try:
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        except OSError:
            pass
        self._process.wait()
        if self._process.stdin is not None:
            with suppress(OSError):  # what it holds still has nobody to go to
                self._process.stdin.close()


def _listen(stream: IO[bytes], answers: queue.SimpleQueue[bytes]) -> None:
    with stream:
        for line in stream:
            answers.put(line)
    answers.put(b"")


def _status(code: int) -> str:
    if code >= 0:
        return f"status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _flags() -> list[str]:
    return list(getattr(subprocess, "_args_from_interpreter_flags", list)())
