"""Small provenances to plant changes in: digests follow from contents, as in real ones."""

from __future__ import annotations

from blake3 import blake3

from pytest_mlrepro.fingerprints.digest import Fingerprint
from pytest_mlrepro.fingerprints.environment import environment_of
from pytest_mlrepro.fingerprints.environment.facts import Fact
from pytest_mlrepro.provenance.record import Provenance

OTHER = ("host", "kernel")
SKLEARN = "package scikit-learn"
BLAS = "OpenBLAS 0.3.31.188.0, Haswell kernels, pthreads, {}"
SWITCHES = "deterministic algorithms {}, cuDNN deterministic off, cuDNN benchmark off, oneDNN on"


def digest(content: object) -> str:
    return f"mlrepro1-blake3:{blake3(repr(content).encode()).hexdigest()}"


def leaf(content: object, kind: str, text: str = "") -> Fingerprint:
    return Fingerprint(digest((kind, content)), kind, (), text)


def tree(kind: str, parts: dict[str, Fingerprint | None], text: str = "") -> Fingerprint:
    """Return a whole of these parts; None stands for a part that was taken out."""
    there = tuple((name, part) for name, part in parts.items() if part is not None)
    return Fingerprint(digest((kind, [(name, part.digest) for name, part in there])), kind, there, text)


def code(**over: Fingerprint | None) -> Fingerprint:
    parts: dict[str, Fingerprint | None] = {
        "train.fit_head": leaf("fit", "function", "train.py:41"),
        "train.scale": leaf("scale", "function", "train.py:12"),
        "train.RATE": leaf(0.1, "constant", "train.py:5"),
        "test_m.test_m": leaf("test", "function", "test_m.py:9"),
        SKLEARN: leaf("1.8.0", "package", "1.8.0"),
        "package numpy": leaf("2.4.6", "package", "2.4.6"),
    }
    return tree("code", parts | over)


def table(**over: object) -> Fingerprint:
    columns = {name: name for name in ("age", "income", "city", "label", "zip")} | over
    return tree("table", {f"['{name}']": leaf(content, "column") for name, content in columns.items() if content})


def images(**over: object) -> Fingerprint:
    pictures = {f"{number}": number for number in range(40)} | over
    return tree("folder", {f"{name}.png": leaf(content, "file", "12 KB") for name, content in pictures.items()})


def data(**over: Fingerprint | None) -> Fingerprint:
    return tree("data", {"data/train.csv": table(), "data/images": images()} | over)


def model(**over: object) -> Fingerprint:
    layers = {"body.weight": 1, "head.weight": 2, "head.bias": 3, "norm": 4} | over
    return tree(
        "artifact.safetensors",
        {name: leaf(what, "tensor", "float32 [10, 64]") for name, what in layers.items()},
        "1.2 MB",
    )


def artifacts(**over: Fingerprint | None) -> Fingerprint:
    return tree("artifacts", {"model.safetensors": model()} | over)


def environment(**over: str | None) -> Fingerprint:
    texts: dict[str, str | None] = {
        SKLEARN: "1.8.0",
        "package numpy": "2.4.6",
        "CPU": "AMD EPYC",
        "CPU features": "sse4_2 avx f16c fma avx2 avx_vnni avx512f avx512dq avx512bw avx512vl",
        "BLAS of numpy": BLAS.format("2 threads"),
        "Python": "CPython 3.11.7",
        "torch switches": SWITCHES.format("off"),
        "host": "#01234567",
        "kernel": "6.1.0",
    }
    return environment_of(Fact(name, text, name not in OTHER) for name, text in (texts | over).items() if text)


def provenance(**over: object) -> Provenance:
    areas = {"code": code(), "data": data(), "artifacts": artifacts(), "environment": environment()}
    return Provenance(**{**areas, "commit": "1a2b3c4d5e6f708192a3", "dirty": False, **over})
