"""Files from other people's branches, spoilt in the ways that hypothesis thinks of: an error of ours, or nothing, never more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlrepro._json import json_text
from pytest_mlrepro.compare.walk import compare
from pytest_mlrepro.errors import GoldenError, MlreproError, UsageError
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.golden import history, pending, record, store
from pytest_mlrepro.golden.npy import open_source
from pytest_mlrepro.provenance.record import loads as loads_provenance
from pytest_mlrepro.report.contents import contents

ROOT = Path(__file__).parent.parent.parent
GOLDENS = sorted(path.parent for path in (ROOT / "examples").glob("**/__golden__/**/golden.json"))
DEVICES = [
    "../x.npy",
    "/etc/passwd",
    "..\\x.npy",
    "nul",
    "con.npy",
    "a/b.npy",
    "x" * 300 + ".npy",
    "\0.npy",
    "ä.npy",
    ".npy",
    "",
]
WORDS = st.sampled_from(["", "a", "float", "array", "group", "float64", "str", "list", "blake3:", *DEVICES])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([2**63, -(2**63) - 1, 10**40, 1e308]), WORDS,
    st.text(max_size=5),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES, lambda own: st.lists(own, max_size=3) | st.dictionaries(WORDS, own, max_size=3), max_leaves=6
)
quiet = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

needs_goldens = pytest.mark.skipif(not GOLDENS, reason="the examples are not here")


def places(data: Any) -> list[tuple[Any, Any]]:
    """Return each place in a JSON value, as what holds it and its key."""
    found = []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += [(data, key), *places(value)]
    return found


def spoilt(draw: Callable[..., Any], data: Any) -> Any:
    """Return the value with one to three places replaced, taken out or renamed."""
    for _ in range(draw(st.integers(1, 3))):
        found = places(data)
        if not found:
            return draw(VALUES)
        holder, key = draw(st.sampled_from(found))
        what = draw(st.sampled_from(["replace", "remove", "rename"]))
        if what == "replace":
            holder[key] = draw(VALUES)
        elif what == "remove" or isinstance(holder, list):
            del holder[key]
        else:
            holder[draw(WORDS)] = holder.pop(key)
    return data


def resealed(data: Any) -> str:
    """Return the text of a golden as one who wants to deceive would write it: with a seal that fits."""
    data["seal"] = ""
    text = json_text(data)
    return text.replace('\n "seal": ""', f'\n "seal": "{record._seal(text)}"', 1)


def only_errors_of_ours(*calls: Callable[[], Any]) -> None:
    for call in calls:
        with suppress(MlreproError):
            call()


def looked_at(folder: Path) -> None:
    """Do with a golden what commands and checks do."""
    golden = store.load(folder)
    if golden is None:
        return
    only_errors_of_ours(
        lambda: list(contents(golden, folder)), golden.files, lambda: golden.nodeid(folder, folder.parent),
        lambda: store.details_of(golden, folder), lambda: store.tidy(folder),
    )  # fmt: skip
    for check in golden.checks.values():
        only_errors_of_ours(
            lambda check=check: store.verify_arrays(check, folder), lambda check=check: store.provenance_of(check, folder),
            lambda check=check: compare(check.node(folder), check.node(folder), check.tolerances),
        )  # fmt: skip


@needs_goldens
@quiet
@given(st.data())
def test_a_golden_whose_content_was_spoilt_and_sealed_again(tmp_path_factory: Any, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(GOLDENS))
    folder = tmp_path_factory.mktemp("golden") / source.name
    shutil.copytree(source, folder)
    outside = folder.parent / "x.npy"
    found = spoilt(data.draw, json.loads((source / "golden.json").read_text("utf-8")))
    if not isinstance(found, dict):
        found = {"schema": 1, "checks": found}
    try:
        text = resealed(found)
    except (ValueError, UnicodeEncodeError):  # what no JSON holds
        return
    (folder / "golden.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    only_errors_of_ours(lambda: looked_at(folder), lambda: store.problems(folder))
    assert not outside.exists()
    shutil.rmtree(folder)


@needs_goldens
@quiet
@given(st.data())
def test_files_of_a_golden_with_bytes_changed(tmp_path_factory: Any, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(GOLDENS))
    name = data.draw(st.sampled_from(sorted(path.name for path in source.iterdir() if path.is_file())))
    raw = bytearray((source / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(raw) - 1)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    folder = tmp_path_factory.mktemp("golden") / source.name
    shutil.copytree(source, folder)
    (folder / name).write_bytes(raw)
    only_errors_of_ours(lambda: looked_at(folder), lambda: store.problems(folder), lambda: history.read(folder))
    shutil.rmtree(folder)


@quiet
@given(st.data())
def test_headers_of_arrays(tmp_path_factory: Any, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    descr = data.draw(st.sampled_from(["<f8", "|O", "<U999999999", "|V0", "<M8[ns]", "[('a', 'O')]", "f" * 50]))
    shape = data.draw(
        st.sampled_from(["(3,)", "(-1,)", "(9999999999999,)", "(0,)", "()", "3", "(2, 2)", "(1e9,)", "None"])
    )
    order = data.draw(st.sampled_from(["False", "True", "__import__('os').getpid()", "0"]))
    head = (
        f"{{'descr': {descr if descr.startswith('[') else repr(descr)}, 'fortran_order': {order}, 'shape': {shape}, }}"
    )
    head = data.draw(st.sampled_from([head, head + " " * 70_000, head[:20], "(" * 5000, ""])).encode() + b"\n"
    size = data.draw(st.sampled_from([len(head), 0, 65535, len(head) // 2])) % 65536
    path.write_bytes(b"\x93NUMPY\x01\x00" + size.to_bytes(2, "little") + head + data.draw(st.binary(max_size=64)))
    for dtype, wanted in (("float64", (3,)), ("str", (3,)), ("bytes", (0,)), ("datetime64[ns]", (3,))):

        def read(dtype: str = dtype, wanted: tuple[int, ...] = wanted) -> None:
            source = open_source(path, dtype, wanted)
            source.read(0, source.size)

        only_errors_of_ours(read)


@quiet
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=4, max_size=4), st.binary(max_size=16))
def test_packed_texts_whose_ends_lie(tmp_path_factory: Any, ends: list[int], tail: bytes) -> None:
    import numpy as np

    path = tmp_path_factory.mktemp("npy") / "a.npy"
    np.save(path, np.frombuffer(np.array(ends, "<i8").tobytes() + tail, np.uint8))
    only_errors_of_ours(
        lambda: open_source(path, "str", (3,)).read(0, 3), lambda: open_source(path, "bytes", (3,)).read(1, 2)
    )


@quiet
@given(st.one_of(VALUES.map(lambda value: json.dumps(value)), st.text(max_size=40), st.just("[" * 100_000)))
def test_what_is_no_provenance(text: str) -> None:
    only_errors_of_ours(lambda: loads_provenance(text))


@quiet
@given(st.data())
def test_proposals(tmp_path_factory: Any, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("root")
    folder = root / ".mlrepro" / "pending" / "x-00000000"
    folder.mkdir(parents=True)
    facts = {
        "schema": 1, "test": "a.py::t", "golden": "__golden__/a/t-00000000", "base": None, "new": ["a"], "changed": [],
        "dropped": [], "steps": [], "change": "", "time": "", "why": "",
    }  # fmt: skip
    facts["golden"] = data.draw(st.sampled_from(["../../x-00000000", "/tmp/x-00000000", "a/t-00000000", ".", ""]))
    found = spoilt(data.draw, facts)
    (folder / pending.FACTS).write_text(json.dumps(found), "utf-8")

    def accepted() -> None:
        for proposal in pending.read_all(root):
            pending.accept(proposal, root=root, reason="because")

    before = set(root.parent.glob("*"))
    only_errors_of_ours(accepted)
    assert set(root.parent.glob("*")) == before


@quiet
@given(st.data())
def test_tensor_files(tmp_path_factory: Any, data: st.DataObject) -> None:
    header = {"weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, "__metadata__": {"format": "pt"}}
    raw = json.dumps(spoilt(data.draw, header)).encode()
    size = data.draw(st.sampled_from([len(raw), 0, 2**63, 2**64 - 1, len(raw) + 1, 10**9]))
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + raw + b"\0" * data.draw(st.sampled_from([0, 15, 16, 17])))
    only_errors_of_ours(lambda: fingerprint(path))


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"a": ' * 50_000, "\udc80", "1" * 10_000])
def test_texts_that_are_deep_or_no_text(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "t-00000000"
    folder.mkdir()
    (folder / "golden.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / "history.jsonl").write_bytes(text.encode("utf-8", "surrogatepass") + b"\n")
    with pytest.raises(GoldenError):
        store.load(folder)
    with pytest.raises(GoldenError):
        history.read(folder)


def test_links_out_of_a_golden_lead_nowhere(tmp_path: Path) -> None:
    if not GOLDENS:
        pytest.skip("the examples are not here")
    source = next(folder for folder in GOLDENS if list(folder.glob("*.npy")))
    folder = tmp_path / source.name
    shutil.copytree(source, folder)
    array = next(folder.glob("*.npy"))
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret" * 10)
    array.unlink()
    array.symlink_to(secret)
    assert any("not the file that was recorded" in problem or "link" in problem for problem in store.problems(folder))


@pytest.mark.parametrize("text", ["x = [" * 10_000, "min = nan", "[columns]\na = 1", 'version = "1"', "\0", "a" * 100])
def test_contracts(tmp_path: Path, text: str) -> None:
    pytest.importorskip("tomlkit")
    from pytest_mlrepro import Contract

    path = tmp_path / "c.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError):
        Contract.read(path)
