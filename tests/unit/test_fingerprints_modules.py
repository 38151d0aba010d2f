"""Digests of torch's modules, optimisers and schedulers: what is saved and loaded again is equal."""

import copy
import io

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import nn
from torch.nn.utils import prune
from torch.optim import lr_scheduler as schedulers

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import fingerprint


def same(*values):
    return len({fingerprint(value).digest for value in values}) == 1


def changed(old, new):
    return set(fingerprint(old).diff(fingerprint(new)))


def loaded(state, **options):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, **options)


class Net(nn.Module):
    def __init__(self, p=0.5, act=nn.functional.relu):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(2)
        self.drop = nn.Dropout(p)
        self.head = nn.Linear(8, 3)
        self.register_buffer("scale", torch.ones(1), persistent=False)
        self.act, self.shape = act, torch.Size([2, 4])
        self.dtype, self.device = torch.float32, torch.device("cpu")


def pruned():
    layer = nn.Linear(4, 4)
    prune.l1_unstructured(layer, "weight", 2)
    return layer


MODULES = {
    "net": Net,
    "sequence": lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.3), nn.Linear(4, 2)),
    "lstm": lambda: nn.LSTM(3, 4, 2, bidirectional=True),
    "attention": lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    "embedding": lambda: nn.Embedding(5, 2, padding_idx=0),
    "lists": lambda: nn.ModuleDict({"a": nn.ModuleList([nn.Linear(1, 1)]), "b": nn.ParameterList([torch.ones(2)])}),
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
    "spectral norm": lambda: nn.utils.spectral_norm(nn.Linear(3, 2)),
    "pruned": pruned,
    "loss": lambda: nn.CrossEntropyLoss(weight=torch.ones(3)),
    "half": lambda: nn.Linear(3, 2).to(torch.bfloat16),
    "average": lambda: torch.optim.swa_utils.AveragedModel(nn.Linear(3, 2)),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", MODULES)
def test_state_that_was_saved_and_loaded_is_equal(name):
    torch.manual_seed(0)
    module = MODULES[name]()
    torch.manual_seed(1)
    twin = MODULES[name]()
    if name not in ("lists", "loss"):
        assert not same(module, twin)
    twin.load_state_dict(loaded(module.state_dict()))
    assert same(module, twin)
    assert same(module.state_dict(), twin.state_dict(), loaded(module.state_dict()))
    if name != "pruned":  # which torch can't copy
        assert same(module, copy.deepcopy(module))


def test_state_in_another_format_is_equal():
    safetensors = pytest.importorskip("safetensors.torch")
    state = Net().state_dict()
    assert same(state, safetensors.load(safetensors.save(state)), dict(reversed(state.items())))


def test_device_gradients_and_hooks_leave_no_trace():
    net = Net()
    before = fingerprint(net).digest
    net.head(torch.ones(1, 8)).sum().backward()
    net.conv.weight.requires_grad_(requires_grad=False)
    net.handle = net.register_forward_hook(print)
    net.conv.weight.data = net.conv.weight.data.contiguous(memory_format=torch.channels_last)
    assert fingerprint(net).digest == before


def test_the_training_flag_stands_apart():
    net, quiet = Net(), Net()
    quiet.load_state_dict(net.state_dict())
    quiet.eval()
    assert changed(net, quiet) == {".training"}
    assert changed({"m": net}, {"m": quiet}) == {"['m'].training"}
    partly = copy.deepcopy(net)
    partly.norm.eval()
    assert changed(net, partly) == {".training"}
    assert changed(quiet, partly) == {".training"}
    assert same(partly, copy.deepcopy(partly))
    flags = dict(dict(fingerprint(partly).parts)[".training"].parts)
    assert [name for name, flag in flags.items() if flag == fingerprint(False)] == ["['norm']"]


def test_a_diff_names_layers_and_hyper_parameters():
    net = Net()
    other = copy.deepcopy(net)
    with torch.no_grad():
        other.head.weight[1, 2] += 1
        other.norm.running_mean[0] += 1
    assert changed(net, other) == {".head.weight", ".norm.running_mean"}
    assert changed(net.state_dict(), other.state_dict()) == {"['head.weight']", "['norm.running_mean']"}
    for make, place in [
        (lambda m: setattr(m.drop, "p", 0.6), ".drop.p"),
        (lambda m: setattr(m.conv, "stride", (2, 2)), ".conv.stride"),
        (lambda m: setattr(m.norm, "eps", 1e-3), ".norm.eps"),
        (lambda m: setattr(m, "act", nn.functional.gelu), ".act"),
        (lambda m: setattr(m, "dtype", torch.float64), ".dtype"),
        (lambda m: m.scale.add_(1), ".scale"),
        (lambda m: setattr(m, "head", nn.Identity()), ".head"),
    ]:
        twin = copy.deepcopy(net)
        make(twin)
        assert {path[: len(place)] for path in changed(net, twin)} == {place}


def test_classes_and_order_of_layers_count():
    relu, gelu = nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Sequential(nn.Tanh(), nn.ReLU())
    modules = [
        relu,
        gelu,
        nn.ReLU(),
        nn.Tanh(),
        nn.Sequential(nn.ReLU()),
        nn.ModuleList([nn.ReLU(), nn.Tanh()]),
        nn.Linear(1, 1),
    ]
    assert len({fingerprint(module).digest for module in modules}) == len(modules)


def test_tied_weights_count_by_value():
    class Tied(nn.Module):
        def __init__(self, tie):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
            self.b.load_state_dict(self.a.state_dict())
            if tie:
                self.b.weight = self.a.weight

    torch.manual_seed(0)
    tied = Tied(tie=True)
    torch.manual_seed(0)
    assert same(tied, Tied(tie=False))


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_module_is_the_module():
    net = Net()
    assert same(net, torch.compile(net))
    assert same(nn.Sequential(net), nn.Sequential(torch.compile(net)))


def test_what_a_module_holds_is_refused_with_its_place():
    net = Net()
    net.drop.source = (i for i in [])
    with pytest.raises(FingerprintError, match=r"value\['m'\]\.drop\.source is of type generator"):
        fingerprint({"m": net})
    net.drop.source = [net]
    with pytest.raises(FingerprintError, match=r"value\.drop\.source\[0\] .* contains itself"):
        fingerprint(net)


def test_own_method_of_a_submodule():
    class Named(nn.Linear):
        def __mlrepro__(self):
            return self.in_features

    assert same(nn.Sequential(Named(2, 1)), nn.Sequential(Named(2, 1)))
    assert not same(nn.Sequential(Named(2, 1)), nn.Sequential(Named(3, 1)))


OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS", "Adadelta"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    model = nn.Linear(3, 1)
    kind = getattr(torch.optim, name)
    optimizer = kind(model.parameters(), lr=0.1)

    def loss():
        optimizer.zero_grad()
        value = model(torch.ones(2, 3)).sum()
        value.backward()
        return value

    fresh = fingerprint(optimizer)
    optimizer.step(loss)
    if name != "SGD":  # which keeps nothing without momentum
        assert fresh.digest != fingerprint(optimizer).digest
    twin = kind(model.parameters(), lr=0.5)
    assert "['lr']" in " ".join(changed(optimizer, twin))
    twin.load_state_dict(loaded(optimizer.state_dict()))
    assert same(optimizer, twin, copy.deepcopy(optimizer))


def test_a_diff_names_the_state_of_an_optimizer():
    model = nn.Linear(3, 1)
    old = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    old.step()
    new = torch.optim.Adam(model.parameters())
    new.load_state_dict(copy.deepcopy(old.state_dict()))
    new.state[model.bias]["exp_avg"] += 1
    assert changed(old, new) == {".state[1]['exp_avg']"}
    kinds = [torch.optim.Adam(model.parameters()), torch.optim.AdamW(model.parameters(), weight_decay=0)]
    assert not same(*kinds)


@pytest.mark.parametrize(
    "make",
    [
        lambda o: schedulers.StepLR(o, 3),
        lambda o: schedulers.LambdaLR(o, lambda epoch: 0.9**epoch),
        lambda o: schedulers.OneCycleLR(o, 0.1, 10),
        lambda o: schedulers.ReduceLROnPlateau(o),
        lambda o: schedulers.CosineAnnealingWarmRestarts(o, 3),
        lambda o: schedulers.SequentialLR(o, [schedulers.ConstantLR(o), schedulers.ExponentialLR(o, 0.9)], [2]),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_schedulers(make):
    def optimizer():
        return torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)

    first = make(optimizer())
    fresh = fingerprint(first)
    first.optimizer.step()
    first.step(*([0.5] if isinstance(first, schedulers.ReduceLROnPlateau) else []))
    assert fingerprint(first).digest != fresh.digest
    second = make(optimizer())
    second.load_state_dict(loaded(first.state_dict(), weights_only=False))
    assert same(first, second)


def test_generators_and_small_things():
    first, second = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    assert same(first, second)
    torch.rand(1, generator=first)
    assert not same(first, second)
    assert same(torch.Size([2, 3]), (2, 3))
    things = [
        torch.float32,
        torch.float64,
        torch.device("cpu"),
        torch.device("meta"),
        "cpu",
        torch.strided,
        nn.Linear,
        torch.relu,
    ]
    assert len({fingerprint(thing).digest for thing in things}) == len(things)


def test_tensors_equal_those_of_numpy_in_no_kind():
    assert not same(torch.ones(2), np.ones(2, "f4"))
