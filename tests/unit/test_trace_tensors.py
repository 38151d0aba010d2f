"""Operations of torch under a trace: each is seen with its line, and nothing of the user's changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from pytest_mlrepro.determinism.trace import Options, Parting, parting, tracing  # noqa: E402  # after the skip
from pytest_mlrepro.determinism.trace.reading import Trace  # noqa: E402
from pytest_mlrepro.determinism.trace.stream import Kind  # noqa: E402
from pytest_mlrepro.determinism.trace.tensor_digest import TensorDigest  # noqa: E402

PROJECT = Path(__file__).parent


def made(function: Callable[[], object], file: Path, *, close: bool = False) -> Trace:
    with tracing(file, project=PROJECT, options=Options(close=close)) as recorder:
        recorder.checked("the value", function())
    return Trace.load(file)


def apart(function: Callable[[], object], folder: Path, *, close: bool = False) -> Parting | None:
    for name in ("one", "other"):
        made(function, folder / name, close=close)
    return parting(folder / "one", folder / "other", varied=None)


def names(trace: Trace, kind: Kind = Kind.VALUE) -> list[str]:
    events = [trace.event("", number) for number in range(len(trace.streams[""]))]
    return [event.name for event in events if event.kind is kind]


def train() -> object:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout(0.5), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(3):
        optimiser.zero_grad()
        model(torch.ones(5, 4)).square().mean().backward()
        optimiser.step()
    return model[0].weight


def test_forward_backward_and_optimiser_are_seen(tmp_path: Path) -> None:
    first = train.__code__.co_firstlineno
    for close, step in ((False, "torch.optim.Adam.step"), (True, "aten::addcdiv_")):
        trace = made(train, tmp_path / str(close), close=close)
        events = [trace.event("", number) for number in range(len(trace.streams[""]))]
        lines = {event.name: event.place.line for event in events if event.kind is Kind.VALUE}
        assert {"aten::addmm", "aten::dropout", "aten::mm"} <= lines.keys()
        assert lines[step] == first + 7
        assert lines["aten::threshold_backward"] == first + 6  # the line of the forward operation
        assert "aten::dropout" in names(trace, Kind.DRAW)


def test_a_training_that_repeats_does_not_part(tmp_path: Path) -> None:
    assert apart(train, tmp_path) is None
    (tmp_path / "close").mkdir()
    assert apart(train, tmp_path / "close", close=True) is None


def test_the_result_and_the_state_are_those_of_an_untraced_run(tmp_path: Path) -> None:
    expected, state = train(), torch.get_rng_state()
    found: list[object] = []
    made(lambda: found.append(train()), tmp_path / "one", close=True)
    assert torch.equal(found[0], expected)
    assert torch.equal(torch.get_rng_state(), state)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.noise = torch.Generator()

    def forward(self, x):
        hidden = x * 2
        return hidden + torch.rand(x.shape, generator=self.noise)  # parts: here


def test_a_generator_that_was_not_seeded_is_named_with_its_line(tmp_path: Path) -> None:
    model = Net()
    found = apart(lambda: model(torch.ones(3)), tmp_path)
    assert found is not None
    line = next(
        n for n, text in enumerate(Path(__file__).read_text().splitlines(), 1) if text.endswith("# parts: here")
    )
    assert found.headline.startswith("aten::rand at ")
    assert f"test_trace_tensors.py:{line} drew from a generator of its own, which was not seeded" in found.headline


def test_one_draw_too_many_before_is_told_apart_from_no_seed(tmp_path: Path) -> None:
    count = iter([1, 2])

    def draws() -> object:
        torch.manual_seed(0)
        for _ in range(next(count)):
            torch.rand(3)
        return torch.rand(2)

    found = apart(draws, tmp_path, close=True)
    assert found is not None
    assert "goes different ways" in found.headline or "other numbers had been drawn" in found.headline or found.cause


def partly() -> object:
    buffer = torch.empty(501)
    buffer[:500] = 0
    return buffer + 1


def test_unwritten_memory_is_noted_where_it_was_made(tmp_path: Path) -> None:
    trace = made(partly, tmp_path / "one")
    events = [trace.event("", number) for number in range(len(trace.streams[""]))]
    (read,) = [event for event in events if event.kind is Kind.UNWRITTEN]
    assert (read.name, read.place.line) == ("aten::empty", partly.__code__.co_firstlineno + 1)


def whole() -> object:
    buffer = torch.empty(100)
    buffer.fill_(1.0)
    return buffer * 2


def test_memory_that_was_filled_is_not_suspected(tmp_path: Path) -> None:
    assert names(made(whole, tmp_path / "one"), Kind.UNWRITTEN) == []


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta:UserWarning")
def test_odd_tensors_are_digested(tmp_path: Path) -> None:
    digest = TensorDigest(torch)
    sparse = torch.eye(3).to_sparse()
    for value in (
        sparse,
        sparse.to_sparse_csr(),
        torch.ones(2, dtype=torch.complex64).conj(),
        torch.eye(4)[::2].T,
    ):
        assert digest.of(value) != 0
        assert digest.of(value) == digest.of(value.clone())
    assert digest.of(torch.empty(0)) == 0
    assert digest.of(torch.empty(3, device="meta")) == 0
    assert digest.of(torch.zeros(4)) != digest.of(torch.ones(4))
    assert digest.of(torch.tensor([1.0, 2.0])) != digest.of(torch.tensor([2.0, 1.0]))


def test_hooks_of_optimisers_are_taken_away(tmp_path: Path) -> None:
    from torch.optim import optimizer

    before = len(optimizer._global_optimizer_pre_hooks), len(optimizer._global_optimizer_post_hooks)
    made(train, tmp_path / "one")
    assert (len(optimizer._global_optimizer_pre_hooks), len(optimizer._global_optimizer_post_hooks)) == before


def test_lbfgs_closures_compiled_functions_and_hooks_run_as_ever(tmp_path: Path) -> None:
    def fit() -> object:
        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.ones(3))
        weight.register_hook(lambda grad: grad * 2)
        optimiser = torch.optim.LBFGS([weight], max_iter=3)

        def closure():
            optimiser.zero_grad()
            loss = (weight**2).sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        return weight

    assert apart(fit, tmp_path) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch.compile's own
def test_a_compiled_region_runs_as_it_does_untraced(tmp_path: Path) -> None:
    torch._dynamo.reset()
    compiled = torch.compile(lambda x: (x.sin() * 2).relu().sum(), backend="aot_eager")
    weight = torch.ones(8, requires_grad=True)

    def step() -> object:
        weight.grad = None
        compiled(weight).backward()
        return weight.grad

    step()  # compiles
    assert apart(step, tmp_path) is None
    torch._dynamo.reset()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["index_add_", "scatter_add_"])
def test_atomics_on_a_gpu_are_named(name: str, tmp_path: Path) -> None:
    rows, values = torch.randint(0, 8, (200_000,)).cuda(), torch.randn(200_000).cuda()

    def adds() -> object:
        return getattr(torch.zeros(8, device="cuda"), name)(0, rows, values)

    found = next(filter(None, (apart(adds, folder(tmp_path, number), close=True) for number in range(20))), None)
    assert found is not None
    assert found.operation == f"aten::{name}"
    assert "order in which threads finish" in found.cause


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_training_on_a_gpu_is_traced_and_its_dropout_named(tmp_path: Path) -> None:
    def forward() -> object:
        return torch.nn.functional.dropout(torch.ones(64, 64, device="cuda"), 0.5)

    found = apart(forward, tmp_path)
    assert found is not None
    assert "which was not seeded" in found.cause
    assert "cuda" in found.cause


def folder(parent: Path, number: int) -> Path:
    made_here = parent / str(number)
    made_here.mkdir()
    return made_here
