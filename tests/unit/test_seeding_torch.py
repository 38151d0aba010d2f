"""torch's generators and switches inside a scope."""

import os
import subprocess
import sys

import pytest

from pytest_mlrepro.seeding import SeedScope, deterministic_hint
from pytest_mlrepro.seeding.torch_rngs import warm_up

torch = pytest.importorskip("torch")


def switches():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.backends.cudnn.benchmark,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.mark.parametrize("seed", [0, 2**32 + 5, 2**64 - 1])
def test_seeded_as_by_hand_and_put_back(seed):
    torch.randn(3)  # leaves a cached normal
    before = torch.get_rng_state()
    expected = torch.rand(4, generator=torch.Generator().manual_seed(seed))
    with SeedScope(seed) as scope:
        assert torch.equal(torch.rand(4), expected)
        scope.reseed("call")
        assert torch.equal(torch.rand(4), expected)
        assert torch.initial_seed() == seed
    assert torch.equal(torch.get_rng_state(), before)


def test_torch_seed_follows_the_scope():
    with SeedScope(1) as scope:
        a = torch.seed(), torch.rand(1)
    with SeedScope(1):
        assert (torch.random.seed(), torch.rand(1)) == a
    assert [site.kind for site in scope.sites] == ["torch"]
    assert torch.seed is torch.random.seed
    with SeedScope(1, entropy="forbid"), pytest.raises(AssertionError, match=r"torch.manual_seed\(0\)"):
        torch.seed()


@pytest.mark.parametrize("mode", [(False, False), (True, True), (True, False)])
@pytest.mark.parametrize("fill", [True, False])
@pytest.mark.parametrize("benchmark", [True, False])
@pytest.mark.parametrize("workspace", [None, ":16:8"])
def test_switches_are_set_and_put_back_exactly(mode, fill, benchmark, workspace, monkeypatch):
    original = switches()
    try:
        torch.use_deterministic_algorithms(mode[0], warn_only=mode[1])
        torch.utils.deterministic.fill_uninitialized_memory = fill
        torch.backends.cudnn.benchmark = benchmark
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
        if workspace:
            monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", workspace)
        before = switches()
        with SeedScope(0):
            assert switches() == (True, False, True, False, workspace or ":4096:8")
            torch.use_deterministic_algorithms(False)
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = "other"
        assert switches() == before
        with SeedScope(0, deterministic=False):
            assert switches() == before
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = "kept"  # not ours to put back
    finally:
        torch.use_deterministic_algorithms(original[0], warn_only=original[1])
        torch.utils.deterministic.fill_uninitialized_memory = original[2]
        torch.backends.cudnn.benchmark = original[3]
        os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    assert switches()[:4] == original[:4]


def test_inductor_setting_follows_if_loaded():
    config = pytest.importorskip("torch._inductor.config")
    before = config.deterministic
    with SeedScope(0):
        assert config.deterministic is True
    assert config.deterministic is before


def test_operation_without_deterministic_form_is_named():
    with SeedScope(0), pytest.raises(RuntimeError) as caught:
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
    hint = deterministic_hint(caught.value)
    assert hint is not None
    assert "put_" in hint
    assert "@pytest.mark.repro(deterministic=False)" in hint
    wrapped = ValueError("training failed")
    wrapped.__cause__ = caught.value
    assert deterministic_hint(wrapped) == hint


def test_other_errors_have_no_hint():
    assert deterministic_hint(RuntimeError("shape mismatch")) is None
    assert deterministic_hint(ValueError("x does not have a deterministic implementation")) is None
    a, b = ValueError(), ValueError()
    a.__cause__, b.__cause__ = b, a
    assert deterministic_hint(a) is None


def test_cublas_error_has_a_hint():
    text = (
        "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or "
        "`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic because it uses "
        "CuBLAS and you have CUDA >= 10.2."
    )
    assert "CUBLAS_WORKSPACE_CONFIG" in str(deterministic_hint(RuntimeError(text)))


def test_warm_up_draws_nothing_and_keeps_the_gradient_mode():
    before = torch.get_rng_state()
    warm_up(torch)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()


def test_default_device_and_dtype_do_not_matter():
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.float64)
    try:
        warm_up(torch)
        with SeedScope(0) as scope:
            scope.reseed("call")
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


def run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torch_imported_inside_is_seeded_and_put_back():
    code = (
        "import sys\n"
        "from pytest_mlrepro.seeding import SeedScope\n"
        "with SeedScope(5):\n"
        "    import torch\n"
        "    print(torch.initial_seed(), torch.are_deterministic_algorithms_enabled())\n"
        "    with SeedScope(6): print(torch.initial_seed())\n"
        "    print(torch.initial_seed())\n"
        "print(torch.initial_seed(), torch.are_deterministic_algorithms_enabled())\n"
        "print('torch._inductor.config' in sys.modules)\n"
    )
    first, second = run(code).split(), run(code).split()
    assert first[:4] == second[:4] == ["5", "True", "6", "5"]
    assert first[4] != second[4]  # torch starts with a seed of the system's, and has it again
    assert first[5:] == ["False", "False"]


def test_torch_seed_is_known_though_numpy_came_later():
    out = run(
        "import sys\n"
        "sys.modules['numpy'] = None\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "import torch\n"
        "from pytest_mlrepro.seeding import SeedScope\n"
        "real = torch.seed\n"
        "with SeedScope(5):\n"
        "    del sys.modules['numpy']\n"
        "    import numpy.random\n"
        "assert torch.seed is real\n"
        "with SeedScope(5): a = torch.seed()\n"
        "with SeedScope(5): print(a == torch.seed())\n"
    )
    assert out.strip() == "True"


def test_unseeded_generator_object_is_constant_as_ever():
    with SeedScope(0):
        assert torch.Generator().initial_seed() == 67280421310721


class FakeCuda:
    """What our code sees of an accelerator: a real one is not at hand where these tests run."""

    def __init__(self):
        self.default_generators, self.queued = (), []

    def is_initialized(self):
        return bool(self.default_generators)

    def _lazy_call(self, callback):
        self.queued.append(callback)

    def start(self):
        self.default_generators = torch.Generator(), torch.Generator()
        for callback in self.queued:
            callback()


@pytest.fixture
def cuda(monkeypatch):
    from pytest_mlrepro.seeding import scope

    fake = FakeCuda()
    monkeypatch.setattr("pytest_mlrepro.seeding.torch_rngs._backends", lambda module: (fake,))
    scope._prepare_torch.cache_clear()
    return fake


def seeds(cuda):
    return [generator.initial_seed() for generator in cuda.default_generators]


def test_accelerator_is_seeded_and_put_back(cuda):
    cuda.start()
    for generator in cuda.default_generators:
        generator.manual_seed(77)
    before = [generator.get_state() for generator in cuda.default_generators]
    with SeedScope(5) as scope:
        assert seeds(cuda) == [5, 5]
        torch.rand(3, generator=cuda.default_generators[1])
        scope.reseed("call")
    after = [generator.get_state() for generator in cuda.default_generators]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_accelerator_that_starts_inside_is_seeded_then_and_fresh_afterwards(cuda):
    with SeedScope(5):
        cuda.start()
        assert seeds(cuda) == [5, 5]
    assert 5 not in seeds(cuda)
    assert len(set(seeds(cuda))) == 2


def test_accelerator_that_starts_outside_is_left_alone(cuda):
    with SeedScope(5):
        pass
    cuda.start()
    assert seeds(cuda) == [67280421310721] * 2
