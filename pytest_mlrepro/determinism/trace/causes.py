"""Why two runs part, in words: each cause only where the traces hold evidence for it, and nothing where they don't."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .reading import Event, Line
from .stream import Kind

__all__ = ["Cause", "Look", "cause_of", "clocks_on", "harmless"]

CLOCKS: Final = (
    *(
        "time.time",
        "time.perf_counter",
        "time.monotonic",
        "time.process_time",
        "time.thread_time",
        "time.clock_gettime",
    ),
    *(
        "time.ctime",
        "time.localtime",
        "time.gmtime",
        "time.strftime",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
    ),
    *("datetime.datetime.today", "datetime.date.today", "pandas.Timestamp.now", "pandas.Timestamp.today"),
    *("pandas.Timestamp.utcnow", "timeit.default_timer"),
)
ENTROPY: Final = ("os.urandom", "os.getrandom", "uuid.", "secrets.", "random.SystemRandom")
FOLDERS: Final = ("os.listdir", "os.scandir", "os.walk", "glob.", "pathlib.")
FINISHED: Final = {
    "concurrent.futures.as_completed": "the order in which threads finish",
    "concurrent.futures.wait": "the order in which threads finish",
    "asyncio.as_completed": "the order in which tasks finish",
    "asyncio.wait": "the order in which tasks finish",
    "multiprocessing.pool.Pool.imap_unordered": "the order in which processes finish",
    "multiprocessing.pool.ThreadPool.imap_unordered": "the order in which threads finish",
    "torch.utils.data.DataLoader(in_order=False)": "the order in which processes finish",
}
"""What gives results as they come."""
ON: Final = "each run goes on where the one before it stopped"
GENERATORS: Final = frozenset(
    (
        *(
            "numpy.random.default_rng",
            "numpy.random.RandomState",
            "numpy.random.SeedSequence",
            "numpy.random.Generator",
        ),
        *(
            "numpy.random.PCG64",
            "numpy.random.PCG64DXSM",
            "numpy.random.MT19937",
            "numpy.random.Philox",
            "numpy.random.SFC64",
        ),
        *("random.Random", "sklearn.utils.check_random_state"),
    )
)
PARALLEL: Final = "joblib.Parallel"
THREADED: Final = (
    *("polars.DataFrame.group_by", "polars.LazyFrame.group_by", "polars.DataFrame.unique", "polars.LazyFrame.unique"),
    *("polars.LazyFrame.collect", "polars.Series.unique", "pyarrow.Table.group_by", "pyarrow.TableGroupBy.aggregate"),
)
"""What spreads its work over threads of its own and gives it in no stated order."""
UNFILLED: Final = ("numpy.empty", "numpy.empty_like", "numpy.ndarray", "torch.empty", "torch.empty_like")
SEEDS: Final = (
    "seed",
    "manual_seed",
    "seed_all",
    "seed_everything",
    "set_seed",
    "default_rng",
    "Random",
    "RandomState",
)
THREADS: Final = (
    *(
        "torch.get_num_threads",
        "torch.get_num_interop_threads",
        "os.cpu_count",
        "os.process_cpu_count",
        "threadpoolctl.",
    ),
    *("multiprocessing.cpu_count", "joblib.cpu_count", "joblib.effective_n_jobs", "polars.thread_pool_size"),
)
_HARMLESS: Final = (
    (CLOCKS, "read the clock, and the result depends on it"),
    (UNFILLED, "made memory that was read and never written to"),
    (("os.getpid", "threading.get_ident", "threading.get_native_id"), "tells who runs, and the result depends on it"),
)
ADDING: Final = frozenset(
    f"aten::{name}"
    for name in (
        *(
            "index_put_",
            "index_put",
            "_index_put_impl_",
            "put_",
            "index_add_",
            "index_add",
            "index_copy_",
            "index_copy",
        ),
        *(
            "scatter_add_",
            "scatter_add",
            "scatter_reduce_",
            "scatter_reduce",
            "scatter_",
            "scatter",
            "bincount",
            "histc",
        ),
        *("embedding_dense_backward", "embedding_bag_backward", "_embedding_bag_dense_backward", "cumsum", "cumsum_"),
        *(
            "nll_loss2d_backward",
            "nll_loss2d_forward",
            "kthvalue",
            "median",
            "max_unpool2d",
            "grid_sampler_2d_backward",
        ),
        *("adaptive_avg_pool2d_backward", "_adaptive_avg_pool2d_backward", "avg_pool3d_backward", "ctc_loss"),
        *("upsample_bilinear2d_backward", "upsample_bicubic2d_backward", "upsample_linear1d_backward"),
        *("reflection_pad1d_backward", "reflection_pad2d_backward", "replication_pad2d_backward", "masked_scatter"),
    )
)
"""Operations that torch documents as not deterministic on some device: they add in the order in which threads finish."""
MATRIX: Final = frozenset(
    f"aten::{name}" for name in ("mm", "bmm", "addmm", "baddbmm", "matmul", "addmv", "mv", "_cudnn_rnn")
)
CONVOLVING: Final = ("aten::convolution", "aten::cudnn_convolution", "aten::_convolution")


@dataclass(frozen=True)
class Cause:
    """What is known of a difference."""

    operation: str
    words: str = ""
    """The rest of the sentence that begins with the operation and its place; empty without evidence."""
    evidence: tuple[str, ...] = ()
    settled: bool = True
    """Whether a closer look can't tell more."""


@dataclass(frozen=True)
class Look:
    """All that bears on one event in which two traces differ."""

    event: Event
    """As the first run has it."""
    line: Line
    notes: tuple[Mapping[str, Any], Mapping[str, Any]]
    drawn: bool
    """Whether something was drawn from the same generator before, in the same state in both runs."""
    clocks: tuple[str, ...]
    """What clocks are read on lines that seed a generator."""
    before: tuple[str, ...]
    """What was called on the lines of the same function that set what this line reads."""
    varied: str | None
    facts: Mapping[str, Any]
    close: bool
    """Whether the inputs of operations were looked at, and every line."""

    @property
    def function(self) -> str:
        """The function that holds the line."""
        names = self.event.place.function.replace(".<locals>", "").split(".")
        while len(names) > 1 and names[-1].startswith("<"):
            names.pop()  # a comprehension or a lambda is part of the function that it stands in
        return names[-1]


def harmless(calls: Iterable[str], varied: str | None) -> tuple[str, str] | None:
    """Return who gives a value that differs in each run, and how to say it if a result depends on that; None if nobody does.

    Such a value does no harm by itself: most clocks are read for a log, and most unwritten memory is written to.
    """
    for name in calls:
        for starts, words in _HARMLESS:
            if name.startswith(starts):
                return name, words
        if varied == "threads" and name.startswith(THREADS):
            return name, "tells the number of threads, and the result depends on it"
    return None


def clocks_on(calls: Iterable[str]) -> tuple[str, ...]:
    """Return the clocks that a line reads to seed a generator; none if it seeds none."""
    named = tuple(calls)
    seeds = any(name.rpartition(".")[2] in SEEDS for name in named)
    return tuple(name for name in named if name.startswith(CLOCKS)) if seeds else ()


def cause_of(look: Look) -> Cause:
    """Return the cause of a difference, the most certain kind of evidence first."""
    for rule in (_shared, _draw, _unwritten, _under_variation, _operation, _named_on_line, _named_before):
        found = rule(look)
        if found is not None:
            return found
    return Cause(_call(look) or _shown(look), settled=look.close)


def _shown(look: Look) -> str:
    return look.function if look.event.kind is Kind.LOCAL else look.event.name


def _call(look: Look) -> str:
    """Return the call of a line that is most likely what gave its value: what draws, or else the outermost."""
    outside = [
        name for name in look.line.calls if "." in name and not name.startswith("builtins.") and name != PARALLEL
    ]
    random = [name for name in outside if "random" in name]
    return (random or outside or [""])[0]


def _shared(look: Look) -> Cause | None:
    place = look.event.place
    if not look.facts.get(f"shared {place.file}:{place.line}"):
        return None
    words = "drew from a generator that is shared by threads: which of them draws first is a matter of timing"
    return Cause(_call(look) or _shown(look), words)


def _draw(look: Look) -> Cause | None:
    if look.event.kind is not Kind.DRAW:
        return None
    one, two = look.notes
    name = look.event.name
    operation = _call(look) or name if name in ("numpy.random", "random") else name
    if one.get("threads", 1) > 1:
        return Cause(
            operation, "drew from a generator that is shared by threads: who draws first is a matter of timing"
        )
    whose = one.get("generator", "numpy's global generator" if name == "numpy.random" else "a generator")
    if one.get("seed") != two.get("seed") and look.clocks:
        return Cause(look.clocks[0], "read the clock, and a generator is seeded with it")
    if one.get("seed") != two.get("seed"):
        seeds = f"{whose} had the seed {one.get('seed')} in one run and {two.get('seed')} in the other"
        return Cause(operation, "drew from a generator that was not seeded", (seeds,), settled=look.close)
    if one.get("seed") is not None and not look.drawn:
        return Cause(operation, f"drew from {whose}, which was not seeded", (ON,))
    if one.get("seed") is not None:
        return Cause(
            operation,
            f"drew from {whose} when other numbers had been drawn before",
            (f"the seed is the same in both runs ({one['seed']}), the state is not",),
            settled=look.close,
        )
    return Cause(operation, f"drew from {whose}, which was not seeded", (ON,))


def _unwritten(look: Look) -> Cause | None:
    if look.event.kind is not Kind.UNWRITTEN:
        return None
    return Cause(look.event.name, "made memory that was read and never written to")


_VARIED: Final = {
    "threads": "depends on the number of threads",
    "hashseed": "depends on PYTHONHASHSEED: on the order of a set of strings, or on hash()",
    "folders": "depends on the order of a folder, which the file system decides: sort it",
    "malloc": "reads memory that was never written to",
    "isa": "depends on the instruction set of the processor",
}


def _under_variation(look: Look) -> Cause | None:
    """Name what was varied: nothing else was, and a plain rerun agreed."""
    if look.varied not in _VARIED:
        return None
    wanted = {"hashseed": ("builtins.hash",), "malloc": UNFILLED, "folders": FOLDERS}.get(look.varied, ())
    named = [name for name in look.line.calls if name.startswith(tuple(wanted))] if wanted else []
    if named:
        return Cause(named[0], _VARIED[look.varied])
    if look.event.kind is Kind.VALUE:
        return Cause(look.event.name, _VARIED[look.varied], settled=look.close)
    operation = look.function if look.varied == "hashseed" else _call(look) or _shown(look)
    return Cause(operation, _VARIED[look.varied], settled=look.close)


def _operation(look: Look) -> Cause | None:
    """Blame an operation of torch, which was given the same and gave something else."""
    if look.event.kind is not Kind.VALUE:
        return None
    name = look.event.name
    same = ("what it was given is the same in both runs",) if look.close else ()
    if name in ADDING:
        return Cause(name, "adds in the order in which threads finish", same, settled=look.close)
    if look.facts.get("cuda"):
        found = _on_cuda(look, same)
        if found is not None:
            return found
    return Cause(name, "gave something else for the same inputs" if same else "", same, settled=look.close)


def _on_cuda(look: Look, same: tuple[str, ...]) -> Cause | None:
    name, facts = look.event.name, look.facts
    if name.startswith(CONVOLVING) and facts.get("cudnn.benchmark"):
        words = "took another algorithm: torch.backends.cudnn.benchmark is on, which times them anew in each process"
        return Cause(name, words, same, settled=look.close)
    if name in MATRIX and not facts.get("CUBLAS_WORKSPACE_CONFIG"):
        words = "may take another cuBLAS workspace on each stream: set CUBLAS_WORKSPACE_CONFIG=:4096:8"
        return Cause(name, words, same, settled=look.close)
    if facts.get("streams", 1) > 1:
        words = f"ran while {facts['streams']} CUDA streams were in use: one may read before another has written"
        return Cause(name, words, same, settled=look.close)
    return None


def _named_on_line(look: Look) -> Cause | None:
    """Find on the line itself what never repeats."""
    calls = look.line.calls
    if look.event.kind not in (Kind.LOCAL, Kind.INPUT):
        return None
    made = [name for name in calls if name in GENERATORS]
    if made:
        return Cause(made[0], "made a generator that was not seeded", ("nothing that it was given differs",))
    drawing = [name for name in calls if name.startswith("random.") and name.count(".") == 1]
    if drawing:
        return Cause(drawing[0], "drew from Python's global generator, which was not seeded", (ON,))
    if "builtins.id" in calls:
        return Cause(look.function, "orders or keys by id(), an address in memory")
    for name in calls:
        if name in FINISHED:
            return Cause(name, f"gave its results in {FINISHED[name]}")
        if name in THREADED or name.removeprefix("polars.dataframe.frame.") in THREADED:
            return Cause(name, "gave what its threads finished, in the order in which they did")
        if name.startswith(ENTROPY):
            return Cause(name, "drew entropy from the system, which no seed reaches")
    if PARALLEL in calls:
        return Cause(_call(look) or PARALLEL, "adds up in the order in which threads finish: n_jobs=1 does not")
    return None


def _named_before(look: Look) -> Cause | None:
    """Find who gave what this line reads in the order in which it was finished; the values themselves are not traced."""
    if look.event.kind is not Kind.LOCAL:
        return None
    for name in look.before:
        if name in FINISHED:
            return Cause(name, f"gave its results in {FINISHED[name]}", (f"{look.event.name} is made of them",))
    return None
