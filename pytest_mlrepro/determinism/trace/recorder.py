"""What is traced: everything between entering and leaving, on as close a look as was asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..._lazy import loaded
from ...errors import MlreproError
from ...fingerprints.code.project import Project
from ..kept import Kept
from .lines import Lines
from .places import Places
from .stream import Kind, Place
from .tensors import operations
from .threads import Streams
from .values import Values

__all__ = ["Options", "Recorder", "tracing"]

_PACKAGE = str(Path(__file__).parents[2])


@dataclass(frozen=True)
class Options:
    """How closely to look."""

    close: bool = False
    """Also at every line of the project and at what each operation is given: dearer, and it leaves less unexplained."""
    wanted: int = -1
    """The event of the first thread whose value is kept, counted from 0; none: -1."""

    def write(self, file: Path) -> None:
        """Leave word for whoever traces into this file: that may be another process."""
        _beside(file).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, file: Path) -> Options:
        """Return what was left beside the file; without it, the close look where torch is not loaded."""
        if not _beside(file).exists():
            return cls(close=loaded("torch") is None)
        return cls(**json.loads(_beside(file).read_text("utf-8")))


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.options")


class Recorder:
    """The trace that is being written."""

    def __init__(self, streams: Streams, values: Values) -> None:
        self._streams, self._values = streams, values

    def checked(self, label: str, value: object) -> None:
        """Note that the test checked a value here."""
        digest = self._values.digest(value)
        self._streams.current().event(Kind.CHECKED, label, Place("", 0, ""), digest or 0)


@contextmanager
def tracing(file: Path, *, project: Path, options: Options | None = None) -> Iterator[Recorder]:
    """Trace the block into `file` and others beside it, which `parting` reads.

    project: the folder whose code is the user's own: places are lines of it.
    options: how closely to look; None: what was left beside the file for this run.
    """
    options = options or Options.read(file)
    streams = Streams(file)
    streams.first.wanted = options.wanted
    holds = _holder(project)
    streams.table.fact("close", options.close)
    with ExitStack() as stack:
        stack.callback(streams.close)
        streams.open()
        recorder = Recorder(streams, Values(holds))
        if loaded("torch") is not None:
            places = Places(streams.table, holds)
            mode = stack.enter_context(operations(streams.first, places, inputs=options.close))
            stack.callback(_note_cuda, streams, mode)
        if options.close:
            lines = Lines(streams, holds)
            stack.callback(lines.remove)
            lines.install()
        yield recorder
    if streams.first.kept is not None:
        _keep(streams.first.kept, file)


def _holder(project: Path) -> Callable[[str], bool]:
    whole = Project.at(project)

    def holds(filename: str) -> bool:
        return not filename.startswith(_PACKAGE) and whole.holds_file(filename)

    return holds


def _keep(value: object, file: Path) -> None:
    folder = file.with_name(f"{file.name}.value")
    folder.mkdir(exist_ok=True)
    try:
        Kept.of(value, folder).write()
    except MlreproError:
        return  # it can be digested and not be stored: then its size is not told


def _note_cuda(streams: Streams, mode: Any) -> None:
    """Note the settings that the cause of a difference on a GPU may rest on, as they are at the end of the run."""
    torch: Any = loaded("torch")
    if not mode.cuda_streams:
        return
    table = streams.table
    table.fact("cuda", value=True)
    table.fact("streams", len(mode.cuda_streams))
    table.fact("cudnn.benchmark", torch.backends.cudnn.benchmark)
    table.fact("CUBLAS_WORKSPACE_CONFIG", os.environ.get("CUBLAS_WORKSPACE_CONFIG"))
