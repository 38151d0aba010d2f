"""Records of all kinds, as runs write them, for tests of the page."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_mlrepro.report.detail.pictures import pictures
from pytest_mlrepro.values.describe import describe

Record = dict[str, Any]


def record(kind: str, check: str = "check", outcome: str = "failed", **facts: Any) -> Record:
    base = {
        "schema": 1,
        "run": "r",
        "time": "2026-11-25T10:00:00Z",
        "test": "tests/test_m.py::test_it",
        "seconds": 0.25,
    }
    test = "failed" if outcome in ("failed", "missing", "unused") else "passed"
    return {**base, "check": check, "kind": kind, "outcome": outcome, "test_outcome": test, **facts}


def golden(one: object, two: object, **facts: Any) -> Record:
    detail = {
        "change": "value: 3 of 9 elements differ", "words": ["value: 3 of 9 elements differ", "  worst at [3]"],
        "pictures": pictures(describe(one), describe(two)), "headline": "weights changed: train.fit changed",
        "reasons": ["code  train.fit changed (train.py:3)"], "commands": ["mlrepro accept 'tests/test_m.py::test_it'"],
    }  # fmt: skip
    return record("golden", detail=detail, **facts)


def step(name: str, state: str, *sources: str, inside: str | None = None) -> Record:
    return {"name": name, "state": state, "from": list(sources), "inside": inside, "gives": "numpy.ndarray"}


def pipeline() -> Record:
    steps = [
        step("load", "same"), step("clean", "parts", "load"), step("scale", "same", "load", inside="fit"),
        step("fit", "follows", "clean", "scale"), step("score", "follows", "fit", "load"), step("plot", "unused", "gone"),
    ]  # fmt: skip
    detail = {
        "steps": steps,
        "more": 0,
        "first": "clean",
        "headline": "first step that parts: clean",
        "lines": ["a", "b"],
    }
    return record("pipeline", "pipeline", detail=detail)


def robustness(epsilon: float = 0.1, **facts: Any) -> Record:
    image = pictures(describe(np.zeros((8, 8))), describe(np.eye(8)))[0]
    example = {
        "sample": 3, "outcome": "8 becomes 9", "attack": "PGD", "distance": 0.1, "allowed": 0.1, "changed": 8, "elements": 64,
    }  # fmt: skip
    stages = [
        {"attack": name, "kind": "gradient", "tried": 40, "broke": 4, "evaluations": 40} for name in ("FGSM", "PGD")
    ]
    detail = {
        "lines": ["failed: robust accuracy is at most 0.7"], "norm": "linf", "epsilon": epsilon, "interval": [0.5, 0.8],
        "confidence": 0.95, "stages": stages,
        "examples": [{**example, "images": image}, {**example, "rows": [{"name": "age", "before": "3", "after": "4"}]}],
    }  # fmt: skip
    told = {
        "verdict": "failed", "threat": f"Linf({epsilon})", "required": 0.9, "clean_accuracy": 0.95, "robust_accuracy": 0.7,
        "proved": 0.2, "samples": 40, "samples_used": 40, "evaluations": 80, "saved": 0, "counterexamples": 2,
    }  # fmt: skip
    return record("robustness", f"Linf({epsilon})", detail=detail, **told, **facts)


def drift() -> Record:
    columns = [
        {"column": "price", "type": "bins", "low": 0.0, "high": 9.0, "then": [0.5, 0.5], "now": [0.1, 0.9],
         "nulls": [0.0, 0.1], "dates": False},
        {"column": "city", "type": "levels", "names": ["Rome", "Oslo"], "then": [0.5, 0.5], "now": [0.2, 0.8], "more": 1,
         "nulls": [0.0, 0.0]},
    ]  # fmt: skip
    states = ("drift", "undecided", "same")
    findings = [
        {
            "column": "price",
            "what": "distribution",
            "value": 0.3,
            "allowed": 0.05,
            "p": 1e-9,
            "state": state,
            "measure": "D",
        }
        for state in states
    ]
    detail = {"findings": findings, "more": 2, "lines": ["drift since train"], "columns": columns}
    told = {"verdict": "drift", "reference": "train", "reference_rows": 100, "rows": 50, "statistics": {}}
    return record("drift", "train", detail=detail, **told)


def contract() -> Record:
    findings = [
        {"kind": "nulls", "columns": ["age"], "count": 3, "rows": [1, 2], "words": "age: 3 nulls", "hint": "fill"}
    ]
    return record("contract", "train", verdict="broken", findings=[], detail={"findings": findings, "more": 1})


def determinism() -> Record:
    spreads = [{"varied": "threads", "value": "loss", "apart": "1e-9"}]
    return record(
        "determinism", "", runs=["plain", "threads"], detail={"spreads": spreads}, message="E  not reproducible"
    )


def all_kinds() -> list[Record]:
    """Return a record of each kind, with each picture."""
    noise = np.random.default_rng(0)
    return [
        golden(np.zeros(500), noise.random(500)),
        golden(np.zeros((300, 7)), noise.random((300, 7))),
        golden(np.zeros((40, 40, 3)), noise.random((40, 40, 3))),
        golden({"loss": 1.0, "name": "a"}, {"loss": 2.0, "name": "b"}),
        pipeline(),
        robustness(),
        robustness(0.2),
        contract(),
        drift(),
        determinism(),
        record("test", "", message="E  AssertionError: no"),
        record("collection", "", message="E  SyntaxError"),
        record("golden", "new", "missing", message="no golden is recorded yet"),
        record("golden", "expected") | {"test_outcome": "xfailed"},
        record("golden", "stored", "recorded"),
        record("golden", "fine", "passed", remark="a shift of 0.1 would have been seen"),
    ]


def hostile(value: Any, text: str) -> Any:
    """Return a record whose free texts all begin with another one; what has a fixed set of values stays as it is."""
    fixed = {"schema", "kind", "outcome", "test_outcome", "state", "type", "pixels"}
    if isinstance(value, str):
        return text + value
    if isinstance(value, list):
        return [hostile(item, text) for item in value]
    if isinstance(value, dict):
        return {key: item if key in fixed else hostile(item, text) for key, item in value.items()}
    return value
