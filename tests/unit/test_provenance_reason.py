"""The sentence that a failure begins with, and the lines below it: written out, so that a change of words is seen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.provenance.reason import LINES, LONGEST, conclusion, evidence
from pytest_mlrepro.provenance.record import AREAS, Provenance
from tests.unit.provenance_cases import (
    BLAS,
    SKLEARN,
    SWITCHES,
    artifacts,
    code,
    data,
    environment,
    images,
    leaf,
    model,
    provenance,
    table,
    tree,
)  # fmt: skip

FIT = {"train.fit_head": leaf("other", "function", "train.py:44")}
AGE = {"data/train.csv": table(age="other")}
NEWER = {SKLEARN: leaf("1.9.1", "package", "1.9.1")}
NO_FILES = {"data": tree("data", {}), "artifacts": tree("artifacts", {})}
MACHINE = {
    "CPU": "Intel Xeon 8370C",
    "CPU features": "sse4_2 avx f16c fma avx2",
    "BLAS of numpy": BLAS.format("4 threads").replace("Haswell", "SkylakeX"),
    "Python": "CPython 3.11.9",
}
FUNCTIONS = {f"train.f{number:02}": leaf(number, "function", f"train.py:{number}") for number in range(30)}
YEARS = tree("table", {**dict(table(age=None).parts), "['years']": leaf("age", "column")})
BASE = provenance()

CASES = {
    "a function": (
        BASE,
        provenance(code=code(**FIT), commit="ffee3c4d5e6f708192a3", dirty=True),
        "predictions changed: train.fit_head changed; data, artifacts and environment are the same",
        [
            "code         train.fit_head changed (train.py:44)",
            "commit       1a2b3c4d5e → ffee3c4d5e with uncommitted changes",
        ],
    ),
    "a column": (
        BASE,
        provenance(data=data(**AGE)),
        "predictions changed: data/train.csv['age'] changed; code, artifacts and environment are the same",
        ["data         data/train.csv['age'] changed"],
    ),
    "two columns": (
        BASE,
        provenance(data=data(**{"data/train.csv": table(age=1, income=2)})),
        "predictions changed: data/train.csv changed in 2 places; code, artifacts and environment are the same",
        ["data         data/train.csv['age'] changed", "             data/train.csv['income'] changed"],
    ),
    "a file in a folder": (
        BASE,
        provenance(data=data(**{"data/images": images(**{"7": "x"})})),
        "predictions changed: data/images/7.png changed; code, artifacts and environment are the same",
        ["data         data/images/7.png changed (12 KB)"],
    ),
    "a layer": (
        BASE,
        provenance(artifacts=artifacts(**{"model.safetensors": model(**{"head.weight": 0})})),
        "predictions changed: model.safetensors: head.weight changed; code, data and environment are the same",
        ["artifacts    model.safetensors: head.weight changed (float32 [10, 64])"],
    ),
    "a package": (
        BASE,
        provenance(code=code(**NEWER), environment=environment(**{SKLEARN: "1.9.1"})),
        "predictions changed: scikit-learn 1.8.0 → 1.9.1; "
        "code, data, artifacts and the rest of the environment are the same",
        ["packages     scikit-learn 1.8.0 → 1.9.1"],
    ),
    "a variable": (
        BASE,
        provenance(environment=environment(**{"variable MKL_CBWR": "AVX2"})),
        "predictions changed: MKL_CBWR (not set → AVX2); "
        "code, data, artifacts and the rest of the environment are the same",
        ["environment  MKL_CBWR: not set → AVX2"],
    ),
    "a variable and what follows from it": (
        BASE,
        provenance(environment=environment(**{"variable OMP_NUM_THREADS": "1", "BLAS of numpy": BLAS.format("1 thread")})),
        "predictions changed together with OMP_NUM_THREADS (not set → 1) and BLAS of numpy (2 threads → 1 thread); "
        "code, data and artifacts are the same",
        [
            "environment  OMP_NUM_THREADS: not set → 1",
            "             BLAS of numpy: 2 threads → 1 thread",
        ],
    ),
    "another machine": (
        BASE,
        provenance(environment=environment(**MACHINE)),
        "predictions changed together with BLAS of numpy (Haswell kernels, 2 threads → SkylakeX kernels, 4 threads) "
        "and 3 more of the environment; code, data and artifacts are the same",
        [
            "environment  BLAS of numpy: Haswell kernels, 2 threads → SkylakeX kernels, 4 threads",
            "             CPU features: avx_vnni avx512f avx512dq avx512bw avx512vl → none of these",
            "             CPU: AMD EPYC → Intel Xeon 8370C",
            "             Python: CPython 3.11.7 → CPython 3.11.9",
        ],
    ),
    "code and data": (
        BASE,
        provenance(code=code(**FIT), data=data(**AGE)),
        "predictions changed together with train.fit_head and data/train.csv['age']; "
        "artifacts and environment are the same",
        ["code         train.fit_head changed (train.py:44)", "data         data/train.csv['age'] changed"],
    ),
    "nothing": (
        BASE,
        provenance(environment=environment(host="#89abcdef", kernel="7")),
        "predictions changed, though nothing else did: not reproducible "
        "(code, data, artifacts and environment are the same)",
        [],
    ),
    "nothing, and no files": (
        provenance(**NO_FILES),
        provenance(**NO_FILES),
        "predictions changed, though nothing else did: not reproducible "
        "(code and environment are the same; no data and no artifacts were seen)",
        [],
    ),
    "nothing but a library that one run lacks": (
        BASE,
        provenance(environment=environment(**{"package pandas": "3.1.1"})),
        "predictions changed, though nothing else did: not reproducible "
        "(code, data, artifacts and environment are the same), but pandas 3.1.1 was in use in this run only",
        ["packages     pandas 3.1.1 was in use in this run only"],
    ),
    "nothing but the name of a file": (
        BASE,
        provenance(data=data(**{"data/train.csv": None, "data/b.csv": table()})),
        "predictions changed, and only a name with it: data/train.csv is now called data/b.csv; "
        "code, data, artifacts and environment are the same",
        ["data         data/train.csv is now called data/b.csv"],
    ),
    "a function that is gone, and areas that the golden lacks": (
        provenance(data=None, artifacts=None),
        provenance(code=code(**{"train.fit_head": None})),
        "predictions changed: train.fit_head is no longer used; environment is the same; "
        "data and artifacts were not recorded with the golden",
        ["code         train.fit_head is no longer used (train.py:41)"],
    ),
    "a new file": (
        BASE,
        provenance(data=data(**{"data/extra.csv": leaf(1, "file", "3 KB")})),
        "predictions changed: data/extra.csv is newly used; code, artifacts and environment are the same",
        ["data         data/extra.csv is newly used (3 KB)"],
    ),
    "a column of another name": (
        BASE,
        provenance(data=data(**{"data/train.csv": YEARS})),
        "predictions changed: data/train.csv['age'] is now called data/train.csv['years']; "
        "code, artifacts and environment are the same",
        ["data         data/train.csv['age'] is now called data/train.csv['years']"],
    ),
    "a golden of an earlier version": (
        Provenance(),
        BASE,
        "predictions changed: the reason is unknown, since code, data, artifacts and environment were not recorded "
        "with the golden",
        [],
    ),
    "nothing that both know": (
        provenance(data=None),
        provenance(artifacts=None),
        "predictions changed, and nothing that was recorded did: code and environment are the same; "
        "data was not recorded with the golden and artifacts were not recorded in this run",
        [],
    ),
    "everything": (
        BASE,
        provenance(
            code=code(**FUNCTIONS),
            data=data(**AGE, **{"data/extra.csv": leaf(1, "file")}),
            artifacts=artifacts(**{"model.safetensors": None, "m.pt": leaf(3, "artifact.file", "3 MB")}),
            environment=environment(**{"CPU": "Intel Xeon", SKLEARN: "1.9.1", "torch switches": SWITCHES.format("on")}),
        ),
        "predictions changed together with train.f00 (newly used), data/train.csv['age'], m.pt (newly used) "
        "and 34 more (29 of code, 1 of data, 1 of artifacts, 1 of packages, 2 of the environment)",
        [
            "code         train.f00 is newly used (train.py:0)",
            "             train.f01 is newly used (train.py:1)",
            "             train.f02 is newly used (train.py:2)",
            "             train.f03 is newly used (train.py:3)",
            "             train.f04 is newly used (train.py:4)",
            "             … and 25 more",
            "data         data/train.csv['age'] changed",
            "             data/extra.csv is newly used",
            "artifacts    m.pt is newly used (3 MB)",
            "             model.safetensors is no longer used (1.2 MB)",
            "packages     scikit-learn 1.8.0 → 1.9.1",
            "environment  torch switches: deterministic algorithms off → deterministic algorithms on",
            "             CPU: AMD EPYC → Intel Xeon",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_words(case: str) -> None:
    old, new, first, below = CASES[case]
    assert conclusion(old, new, "predictions") == first
    assert evidence(old, new) == below


def test_no_case_is_too_long_for_a_line() -> None:
    assert max(len(first) for _, _, first, _ in CASES.values()) <= LONGEST
    assert max(len(line) for *_, below in CASES.values() for line in below) <= 120


def test_files_that_the_test_wrote_are_none_that_were_seen() -> None:
    wrote = provenance(artifacts=tree("artifacts", {"written": tree("written", {"out.csv": leaf(1, "file")})}))
    assert conclusion(wrote, wrote, "x").endswith("(code, data and environment are the same; no artifacts were seen)")


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("changed", [{}, {"code": code(**FIT)}, {"data": data(**AGE)}, {"artifacts": None}])
def test_what_is_unknown_is_never_called_the_same(area: str, changed: dict) -> None:
    unknown, known = provenance(**{**changed, area: None}), BASE
    for old, new in ((unknown, known), (known, unknown), (unknown, unknown)):
        words = conclusion(old, new, "x")
        (same,) = re.findall(r"([a-z, ]+) (?:is|are) the same", words) or [""]
        assert area not in same
        assert re.search(rf"{area}\b[a-z, ]* not recorded", words)
        assert "not reproducible" not in words


def test_a_cause_is_never_claimed() -> None:
    for old, new, *_ in CASES.values():
        words = " ".join([conclusion(old, new, "x"), *evidence(old, new)])
        assert "because" not in words
        assert "due to" not in words


SOME = st.sampled_from(
    [
        {"code": code(**FIT)},
        {"data": data(**AGE)},
        {"artifacts": artifacts(**{"model.safetensors": model(norm=0)})},
        {"environment": environment(**{SKLEARN: "1.9.1"})},
        {"environment": environment(**MACHINE)},
        {"code": code(**FUNCTIONS)},
        {"data": None},
        {"artifacts": tree("artifacts", {})},
        {"environment": None},
    ]
)


@given(st.lists(SOME, max_size=4), st.lists(SOME, max_size=4))
def test_every_mixture_fits_a_line_and_a_screen(old: list[dict], new: list[dict]) -> None:
    one, two = (provenance(**{name: area for change in side for name, area in change.items()}) for side in (old, new))
    assert len(conclusion(one, two, "predictions")) <= 260  # what isn't known is told in full
    assert "\n" not in conclusion(one, two, "predictions")
    assert len(evidence(one, two)) <= LINES + 5


@given(st.text(min_size=1), st.text(), st.text(max_size=100))
def test_names_and_texts_can_t_break_out_of_their_line(name: str, text: str, subject: str) -> None:
    old = provenance(data=data(**{name: leaf(1, "file", text)}))
    new = provenance(data=data(**{name: leaf(2, "file", text[::-1])}))
    lines = [conclusion(old, new, subject), *evidence(old, new)]
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) <= 260


def test_very_many_suspects_are_counted() -> None:
    many = {f"data/{number:04}.csv": leaf(number, "file") for number in range(5000)}
    old, new = provenance(), provenance(data=data(**many))
    assert "and 4,9" in conclusion(old, new, "x")
    assert evidence(old, new)[-1] == "             … and 4,988 more"
