"""What it costs to trace a training: CPU time against the same training bare, and the memory of a long trace."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from measuring import interleaved, process, timed
from showing import Row, Target, show
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from pytest_mlrepro.determinism.trace import Options, tracing

OPERATIONS = 1_000_000
LONG = """
import sys, torch
from pathlib import Path
from contextlib import nullcontext
from pytest_mlrepro.determinism.trace import Options, tracing
torch.set_num_threads(1)
file = Path(sys.argv[1])
with tracing(file, project=Path.cwd(), options=Options()) if sys.argv[2] == "traced" else nullcontext():
    value = torch.zeros(16)
    for _ in range({operations}):
        value += 1
"""


def training(model: nn.Module, shape: tuple[int, ...], optimiser: type[torch.optim.Optimizer], steps: int) -> None:
    """Train on random numbers, 64 at a time."""
    torch.manual_seed(0)
    inputs, labels = torch.randn(64, *shape), torch.randint(0, 10, (64,))
    steps_of = optimiser(model.parameters(), lr=0.01)
    for _ in range(steps):
        steps_of.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        steps_of.step()


def mlp() -> nn.Module:
    """Return the small MLP."""
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def cnn() -> nn.Module:
    """Return the small CNN, for digits."""
    first = (nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*first, nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))


def traced(work: Callable[[], None], folder: Path, options: Options) -> None:
    """Run under a trace."""
    with tracing(folder / "trace", project=Path(__file__).parent, options=options):
        work()


class Nothing(TorchDispatchMode):
    """Hands on, as any mode must: what torch itself takes for having one."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # as torch calls it
        return func(*args, **(kwargs or {}))


def passed(work: Callable[[], None]) -> None:
    """Run under a mode that does nothing."""
    with Nothing():
        work()


def measure(*, quick: bool) -> list[Row]:
    """Print and return the cost of tracing."""
    torch.set_num_threads(1)
    steps, rounds = (5, 2) if quick else (100, 15)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            row
            for what, make, shape, optimiser, limit in (
                ("MLP 64-32-10, Adam", mlp, (64,), torch.optim.Adam, 2.6),
                ("MLP 64-32-10, SGD", mlp, (64,), torch.optim.SGD, None),
                ("CNN on digits, Adam", cnn, (1, 8, 8), torch.optim.Adam, 1.5),
                ("CNN on digits, SGD", cnn, (1, 8, 8), torch.optim.SGD, 1.5),
            )
            for row in _training(
                f"{what}, {steps} steps", partial(training, make(), shape, optimiser, steps), folder, rounds, limit
            )
        ]
        memory = _memory(folder, OPERATIONS // (100 if quick else 1))
    note = f"Medians of {rounds} interleaved rounds, one thread. Only runs that differed are ever traced."
    return [
        *show("Tracing a training", rows, note),
        *show("Memory of a long trace", [memory]),
    ]


def _training(what: str, work: Callable[[], None], folder: Path, rounds: int, limit: float | None) -> list[Row]:
    works = {
        "bare": partial(timed, work),
        "traced": partial(timed, partial(traced, work, folder, Options())),
        "close": partial(timed, partial(traced, work, folder, Options(close=True))),
        "nothing": partial(timed, partial(passed, work)),
    }
    cost = interleaved(works, rounds)
    return [
        Row(
            what,
            cost["traced"],
            "bare",
            cost["bare"],
            unit="ms",
            target=None if limit is None else Target(limit, of="ratio", by="cpu"),
        ),
        Row(f"{what}, a mode that does nothing", cost["nothing"], "bare", cost["bare"], unit="ms"),
        Row(f"{what}, every line and input", cost["close"], "bare", cost["bare"], unit="ms"),
    ]


def _memory(folder: Path, operations: int) -> Row:
    script = folder / "long.py"
    script.write_text(LONG.format(operations=operations), "utf-8")
    samples = {
        how: process([sys.executable, str(script), str(folder / how), how], folder=folder) for how in ("bare", "traced")
    }
    what = f"{operations:,} operations, above the bare run"
    return Row(what, samples["traced"] - samples["bare"], unit="MiB", target=Target(200))
