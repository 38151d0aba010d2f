"""A long run is traced in bounded memory: its events are on the disk, not in the process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import resource, sys, torch
from contextlib import nullcontext
from pathlib import Path
from pytest_mlrepro.determinism.trace import Options, tracing
torch.set_num_threads(1)
file = Path(sys.argv[1])
with tracing(file, project=Path.cwd(), options=Options()) if sys.argv[2] == "traced" else nullcontext():
    value = torch.zeros(16)
    for _ in range(1_000_000):
        value += 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(folder: Path, how: str) -> int:
    command = [sys.executable, "-c", SCRIPT, str(folder / how), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
@pytest.mark.skipif(sys.platform == "win32", reason="asks for the peak of a process by resource")
def test_a_million_operations_take_less_than_200_mebibytes(tmp_path: Path) -> None:
    above = peak(tmp_path, "traced") - peak(tmp_path, "bare")
    assert above < 200 * 2**20
    assert (tmp_path / "traced").stat().st_size >= 16_000_000
