"""Saved models: parts are named from the file's own index, nothing is loaded, and a hostile index is only bytes."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.fingerprints.files.pieces import CHUNK
from pytest_mlrepro.fingerprints.files.torch_names import storage_names
from pytest_mlrepro.fingerprints.files.whole import fingerprint_artifact, fingerprint_path


def safetensors(tensors, metadata=None, *, pad=0):
    """Write the format by hand: name → (dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode() + b" " * pad
    return struct.pack("<Q", len(text)) + text + data


def artifact(folder, raw, name="model"):
    path = folder / name
    path.write_bytes(raw)
    found = fingerprint_artifact(path)
    assert found.digest == fingerprint_path(path).digest
    return found


def names(found):
    return [name for name, _ in found.parts]


TENSORS = {"b.weight": ("F32", [2], bytes(8)), "a": ("I8", [], b"\1"), "empty": ("F16", [0], b"")}


def test_safetensors_are_named_by_tensor(tmp_path):
    found = artifact(tmp_path, safetensors(TENSORS, {"format": "pt"}))
    assert found.kind == "artifact.safetensors"
    assert names(found) == [".metadata", "['a']", "['b.weight']", "['empty']"]
    assert [part.text for _, part in found.parts] == ['{"format": "pt"}', "I8 []", "F32 [2]", "F16 [0]"]


@pytest.mark.parametrize(
    ("tensors", "metadata", "changed"),
    [
        ({**TENSORS, "a": ("I8", [], b"\2")}, {"format": "pt"}, ("['a']",)),
        ({**TENSORS, "a": ("U8", [], b"\1")}, {"format": "pt"}, ("['a']",)),
        ({**TENSORS, "a": ("I8", [1], b"\1")}, {"format": "pt"}, ("['a']",)),
        ({**TENSORS, "new": ("I8", [], b"\1")}, {"format": "pt"}, ("['new']",)),
        (TENSORS, {"format": "np"}, (".metadata",)),
        (TENSORS, None, (".metadata",)),
        (dict(reversed(TENSORS.items())), {"format": "pt"}, ("",)),
    ],
    ids=["bytes", "dtype", "shape", "added", "metadata", "no metadata", "order alone"],
)
def test_a_diff_names_the_tensor_alone(tmp_path, tensors, metadata, changed):
    before = artifact(tmp_path, safetensors(TENSORS, {"format": "pt"}))
    assert before.diff(artifact(tmp_path, safetensors(tensors, metadata))) == changed


def test_a_tensor_that_only_moved_is_the_same(tmp_path):
    before = artifact(tmp_path, safetensors(TENSORS))
    moved = artifact(tmp_path, safetensors({"0 first": ("F32", [1], bytes(4)), **TENSORS}, pad=7))
    assert before.diff(moved) == ("['0 first']",)


def test_a_large_tensor_names_its_byte_range(tmp_path):
    raw = bytearray(2 * CHUNK + 4)
    before = artifact(tmp_path, safetensors({"w": ("F32", [len(raw) // 4], bytes(raw))}))
    raw[-1] = 1
    after = artifact(tmp_path, safetensors({"w": ("F32", [len(raw) // 4], bytes(raw))}))
    assert before.diff(after) == (f"['w'][{2 * CHUNK}:{2 * CHUNK + 4}]",)


def test_the_name_of_the_file_says_nothing(tmp_path):
    raw = safetensors(TENSORS)
    assert artifact(tmp_path, raw, "a.bin") == artifact(tmp_path, raw, "b.pickle")


def test_a_folder_of_model_files(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{}")
    (tmp_path / "m" / "model.safetensors").write_bytes(safetensors(TENSORS))
    before = fingerprint_artifact(tmp_path / "m")
    assert (before.kind, before.digest) == ("artifact.folder", fingerprint_path(tmp_path / "m").digest)
    assert [part.kind for _, part in before.parts] == ["artifact.file", "artifact.safetensors"]
    (tmp_path / "m" / "model.safetensors").write_bytes(safetensors({**TENSORS, "a": ("I8", [], b"\7")}))
    assert before.diff(fingerprint_artifact(tmp_path / "m")) == ("model.safetensors['a']",)


def bomb(text):
    return struct.pack("<Q", len(text)) + text + bytes(64)


HOSTILE = {
    "length beyond the file": struct.pack("<Q", 2**63) + b"{}",
    "length of all": struct.pack("<Q", 2**64 - 1) + b"{}",
    "not JSON": bomb(b"{nothing"),
    "not UTF-8": bomb(b'{"\xff": 1}'),
    "no object": struct.pack("<Q", 2) + b"{]" + bytes(9),
    "deep": bomb(b'{"a":' * 100_000),
    "deep lists": bomb(b'{"a":' + b"[" * 100_000),
    "huge number": bomb(b'{"a":{"dtype":"F32","shape":[' + b"9" * 10_000 + b'],"data_offsets":[0,4]}}'),
    "offsets beyond the file": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,999999]}}'),
    "offsets backwards": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}'),
    "offsets negative": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,4]}}'),
    "offsets huge": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999999]}}'),
    "offsets true": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[false,true]}}'),
    "offsets text": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":["0","4"]}}'),
    "offsets NaN": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[NaN,4]}}'),
    "three offsets": bomb(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1,2]}}'),
    "overlapping": bomb(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}'
    ),
    "twice one name": bomb(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
    ),
    "no shape": bomb(b'{"a":{"dtype":"F32","data_offsets":[0,4]}}'),
    "shape a number": bomb(b'{"a":{"dtype":"F32","shape":4,"data_offsets":[0,4]}}'),
    "dtype a list": bomb(b'{"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}}'),
    "tensor a number": bomb(b'{"a":7}'),
    "no tensors": bomb(b"{}"),
    "too short": b"\2\0\0\0\0\0\0",
    "zip without a directory": b"PK\x03\x04" + bytes(100),
    "zip of an end alone": b"PK\x03\x04PK\x05\x06" + b"\xff" * 16 + b"\0\0",
    "onnx-like": b"\x08\x07" + b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    "onnx of fields": b"\x08\x01" * 201_000,
    "nothing": b"",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_index_is_bytes(tmp_path, raw):
    path = tmp_path / "model"
    path.write_bytes(raw)
    tracemalloc.start()
    found = artifact(tmp_path, raw)
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    tracemalloc.stop()
    assert (found.kind, found.parts) == ("artifact.file", ())


def zipped(members, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=options.get("compression"))
    return file.getvalue()


def test_npz_is_named_by_array(tmp_path):
    found = []
    for save in (np.savez, np.savez_compressed):
        for x in (1.0, 2.0):
            file = io.BytesIO()
            save(file, x=np.full(3, x), **{"y/z": np.ones(2)})
            found.append(artifact(tmp_path, file.getvalue()))
    assert {one.kind for one in found} == {"artifact.npz"}
    assert [part.text for one in found for _, part in one.parts] == ["stored"] * 4 + ["deflated"] * 4
    assert found[0].diff(found[1]) == found[2].diff(found[3]) == ("['x']",)
    assert names(found[0]) == ["['x']", "['y/z']"]


@pytest.mark.parametrize("comment", [b"", b"words", b"PK\x05\x06" + b"?" * 60])
def test_zip_files_are_named_by_member(tmp_path, comment):
    raw = []
    for last in (b"1", b"2"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in {"a.txt": b"x", "d/.hidden": last, "caf\xe9": b""}.items():
                archive.writestr(zipfile.ZipInfo(name), data)
            archive.comment = comment
        raw.append(file.getvalue())
    found = [artifact(tmp_path, one) for one in raw]
    if comment.startswith(b"PK"):
        assert {one.kind for one in found} == {"artifact.file"}
    else:
        assert names(found[0]) == ["a.txt", "d/.hidden", "café"]
        assert found[0].diff(found[1]) == ("d/.hidden",)


def test_large_zips_keep_their_places_in_64_bits(tmp_path, monkeypatch):
    path = tmp_path / "model"
    with zipfile.ZipFile(path, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(b"x" * 100)
    assert names(fingerprint_artifact(path)) == ["a"]
    for limit in ("ZIP_FILECOUNT_LIMIT", "ZIP64_LIMIT"):  # as if there were more than 65,535 members, or 2 GiB
        with monkeypatch.context() as patch:
            patch.setattr(zipfile, limit, 1)
            with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
                for name in "abc":
                    with archive.open(name, "w", force_zip64=True) as member:
                        member.write(name.encode() * 9)
        raw = path.read_bytes()
        assert b"PK\x06\x06" in raw
        end = raw.rindex(b"PK\x05\x06")  # as where the numbers don't fit
        raw = raw[: end + 8] + b"\xff" * 12 + raw[end + 20 :]
        path.write_bytes(raw)
        before = fingerprint_artifact(path)
        assert names(before) == ["a", "b", "c"]
        path.write_bytes(raw.replace(b"b" * 9, b"c" * 9))
        assert before.diff(fingerprint_artifact(path)) == ("b",)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    raw = zipped({"zeros": bytes(2**26)}, compression=zipfile.ZIP_DEFLATED)
    path = tmp_path / "model"
    path.write_bytes(raw)
    tracemalloc.start()
    assert names(fingerprint_artifact(path)) == ["zeros"]
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()


def test_members_that_overlap_are_not_believed(tmp_path):
    raw = bytearray(zipped({"a": b"x" * 50, "b": b"y" * 50}))
    entry = raw.rindex(b"PK\x01\x02")
    raw[entry + 42 : entry + 46] = bytes(4)  # the second entry leads to the first member
    assert artifact(tmp_path, bytes(raw)).kind == "artifact.file"


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["safetensors", "npz", "torch", "onnx"]), st.data())
def test_damage_never_breaks(tmp_path_factory, kind, data):
    raw = bytearray(EXAMPLES[kind]())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[at] = data.draw(st.integers(0, 255))
        else:
            del raw[at : at + data.draw(st.integers(1, 40))]
        if not raw:
            break
    artifact(tmp_path_factory.mktemp("damaged"), bytes(raw))


# torch, without torch


class FloatStorage:
    pass


class Storage:
    def __init__(self, key):
        self.key = key


class Tensor:
    def __init__(self, key):
        self.key = key

    def __reduce__(self):
        return rebuild, (Storage(self.key), 0, (2,), (1,), False, OrderedDict())


def rebuild(*arguments):
    raise AssertionError("nothing may be built")


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", FloatStorage, value.key, "cpu", 2) if isinstance(value, Storage) else None


def pickled(value, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def torch_file(value, storages):
    members = {"m/data.pkl": pickled(value), "m/byteorder": b"little", "m/version": b"3\n"}
    return zipped(members | {f"m/data/{key}": raw for key, raw in storages.items()})


STATE = OrderedDict([("0.weight", Tensor("0")), ("0.bias", Tensor("1"))])


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (STATE, {"0": "['0.weight']", "1": "['0.bias']"}),
        (
            {
                "model": STATE,
                "optimizer": {"state": {0: {"step": Tensor("2")}}},
                "epoch": 3,
                "many": [1.5, "x", b"y", None],
            },
            {"0": "['model']['0.weight']", "1": "['model']['0.bias']", "2": "['optimizer']['state'][0]['step']"},
        ),
        ([Tensor("5"), (Tensor("6"), {1, "a"}, frozenset([2]))], {"5": "[0]", "6": "[1][0]"}),
        ({"a": Tensor("0"), "b": Tensor("0")}, {"0": "['a']"}),
        (Tensor("0"), {}),
        ({"big": 2**100, "true": True, "w": Tensor("0")}, {"0": "['w']"}),
    ],
    ids=["state", "checkpoint", "list", "shared", "alone", "numbers"],
)
def test_storages_are_named_by_the_tensors_in_them(value, expected, protocol):
    assert storage_names(pickled(value, protocol)) == expected


def test_torch_files_are_named_by_tensor(tmp_path):
    found = artifact(tmp_path, torch_file(STATE, {"0": b"ab", "1": b"cd", "9": b""}))
    assert found.kind == "artifact.torch"
    assert names(found) == ["['0.bias']", "['0.weight']", "byteorder", "data.pkl", "data/9", "version"]
    assert found.diff(artifact(tmp_path, torch_file(STATE, {"0": b"ab", "1": b"c!", "9": b""}))) == ("['0.bias']",)


def test_the_folder_in_a_torch_file_does_not_count_as_a_name(tmp_path):
    """`torch.save` calls it after the file."""
    raw = torch_file(STATE, {"0": b"ab", "1": b"cd"})
    renamed = raw.replace(b"m/", b"n/")
    assert names(artifact(tmp_path, raw)) == names(artifact(tmp_path, renamed))
    assert artifact(tmp_path, raw).diff(artifact(tmp_path, renamed)) == ("",)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("/tmp/mlrepro-was-run",)


def test_nothing_of_a_pickle_is_run(tmp_path):
    raw = torch_file({"w": Tensor("0"), "x": Evil()}, {"0": b"ab"})
    assert "['w']" in names(artifact(tmp_path, raw))
    assert not Path("/tmp/mlrepro-was-run").exists()


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\x80\x02.",
        b"\x80\x02N" + b"2" * 10_000 + b".",
        b"\x80\x02(((((.",
        b"\x80\x02}" + b"}" * 2_000_000 + b".",
        b"\x80\x02N" + b"\x85" * 100_000 + b".",
        b"\x80\x02N" + b"2\x86" * 64 + b".",
        b"\x80\x02]q\x00h\x00a.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x02h\x05.",
        b"\x80\x02Q.",
        b"\x80\x02NQ.",
        b"\x80\x02}\x8c\x01w(\x8c\x05otherN\x8c\x010tQs.",
        b"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00ls\x85R.",
        b"i" * 100,
    ],
    ids=lambda hostile: f"{len(hostile)} bytes",
)
def test_a_hostile_pickle_names_nothing(hostile):
    assert storage_names(hostile) == {}


# ONNX, without onnx


def field(number, raw):
    assert len(raw) < 2**14
    length = bytes([len(raw)]) if len(raw) < 128 else bytes([len(raw) & 127 | 128, len(raw) >> 7])
    return bytes([number << 3 | 2]) + length + raw


def onnx_file(tensors, *, node=b"Add"):
    graph = field(1, field(4, node)) + field(2, b"graph")
    for name, raw in tensors.items():
        graph += field(5, b"\x08\x02\x10\x01" + field(8, name.encode()) + field(9, raw))
    return b"\x08\x07" + field(2, b"maker") + field(7, graph) + field(8, b"\x10\x0d")


def test_onnx_is_named_by_initializer(tmp_path):
    before = artifact(tmp_path, onnx_file({"w": b"1" * 300, "b": b"2"}))
    assert (before.kind, names(before)) == ("artifact.onnx", ["['w']", "['b']"])
    assert before.diff(artifact(tmp_path, onnx_file({"w": b"1" * 300, "b": b"3"}))) == ("['b']",)
    assert before.diff(artifact(tmp_path, onnx_file({"w": b"1" * 300, "b": b"2"}, node=b"Mul"))) == ("",)
    assert artifact(tmp_path, onnx_file({"w": b"1" * 300})[:-1]).kind == "artifact.file"


EXAMPLES = {
    "safetensors": lambda: safetensors(TENSORS, {"format": "pt"}),
    "npz": lambda: zipped({"x.npy": b"1" * 20, "y.npy": b"2"}),
    "torch": lambda: torch_file(STATE, {"0": b"ab", "1": b"cd"}),
    "onnx": lambda: onnx_file({"w": b"1" * 30, "b": b"2"}),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_are_what_they_should_be(tmp_path, kind):
    assert artifact(tmp_path, EXAMPLES[kind]()).kind == f"artifact.{kind}"


# The libraries themselves


def test_what_torch_writes(tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    whole = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(whole, tmp_path / "a.pt")
    before = fingerprint_artifact(tmp_path / "a.pt")
    assert before.kind == "artifact.torch"
    assert {"['model']['0.weight']", "['model']['1.running_mean']", "['optimizer']['state'][0]['exp_avg']"} <= set(
        names(before)
    )
    with torch.no_grad():
        model[0].bias[0] += 1
    torch.save(whole, tmp_path / "a.pt")
    changed = before.diff(fingerprint_artifact(tmp_path / "a.pt"))
    assert changed == ("['model']['0.bias']",)
    torch.save(model, tmp_path / "whole.pt")
    assert any("weight" in name for name in names(fingerprint_artifact(tmp_path / "whole.pt")))


def test_what_safetensors_writes(tmp_path):
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    save_file({"a": np.ones((2, 3), "f4"), "b": np.arange(4)}, tmp_path / "m.safetensors", {"made": "here"})
    before = fingerprint_artifact(tmp_path / "m.safetensors")
    assert [(name, part.text) for name, part in before.parts] == [
        (".metadata", '{"made": "here"}'), ("['a']", "F32 [2, 3]"), ("['b']", "I64 [4]"),
    ]  # fmt: skip
    save_file(
        {"a": np.ones((2, 3), "f4"), "b": np.arange(4)[::-1].copy()}, tmp_path / "m.safetensors", {"made": "here"}
    )
    assert before.diff(fingerprint_artifact(tmp_path / "m.safetensors")) == ("['b']",)


def test_what_joblib_writes_is_bytes(tmp_path):
    joblib = pytest.importorskip("joblib")
    joblib.dump({"a": np.ones(3)}, tmp_path / "m.joblib")
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Evil()))
    assert (
        fingerprint_artifact(tmp_path / "m.joblib").kind
        == fingerprint_artifact(tmp_path / "m.pkl").kind
        == "artifact.file"
    )
