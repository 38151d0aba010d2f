"""The children of this process: one for each set of variations, started when first needed, ended with the run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .._json import Json
from .child import Child, ChildError, Launch
from .vary import Variation, child_environment

__all__ = ["Children"]

KEPT: Final = 3
"""How many live at once: each holds what the tests import, which is much where torch is."""


class Children:
    """Asks the child that runs under some variations, and starts it if there is none."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self.scratch = Path(tempfile.mkdtemp(prefix="mlrepro-"))
        """A folder that goes with them."""
        self._live: dict[tuple[str, ...], Child] = {}
        self._count = 0
        self._broken: dict[tuple[str, ...], str] = {}
        """Children that never came so far as to run a test: why. They are not started again."""

    def ask(self, variations: Sequence[Variation], request: Mapping[str, Json], *, fresh: bool = False) -> Any:
        """Return the answer of the child with these variations; ChildError if it can't give one."""
        key = tuple(sorted(one.name for one in variations))
        if key in self._broken:
            raise ChildError(self._broken[key])
        if fresh:
            return self._once(variations, request)
        child = self._live.pop(key, None) or self._start(variations)
        try:
            answer = child.ask(request)
        except ChildError as error:
            child.kill()
            if child.served == 1 and not child.began:
                self._broken[key] = str(error)
            raise
        except BaseException:  # Ctrl-C, or a time limit of the test: what it would answer belongs to nobody
            child.kill()
            raise
        self._live[key] = child  # the one used last stands last
        while len(self._live) > KEPT:
            self._live.pop(next(iter(self._live))).close()
        return answer

    def _once(self, variations: Sequence[Variation], request: Mapping[str, Json]) -> Any:
        child = self._start(variations)
        try:
            return child.ask(request)
        finally:
            child.kill()

    def _start(self, variations: Sequence[Variation]) -> Child:
        self._count += 1
        return Child(self._launch, self.scratch / f"child-{self._count}", child_environment(variations))

    def close(self) -> None:
        """End all children, and remove what they wrote."""
        while self._live:
            self._live.popitem()[1].close()
        shutil.rmtree(self.scratch, ignore_errors=True)
