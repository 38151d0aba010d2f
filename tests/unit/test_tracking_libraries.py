"""Libraries that open files without telling Python: the real ones, and everything put back afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.tracking import FileTracker
from pytest_mlrepro.tracking.table import TABLE


@pytest.fixture
def tracker(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with FileTracker([tmp_path]) as tracker:
        yield tracker


def opened(tracker, work):
    with tracker.tracking() as seen:
        work()
    return [path.name for path in seen.read], [path.name for path in seen.written]


def polars_files(pl):
    frame = pl.DataFrame({"a": [1, 2]})
    frame.write_csv("a.csv")
    frame.write_csv("b.csv")
    frame.write_parquet("a.parquet")
    frame.write_ipc("a.ipc")
    frame.write_ipc_stream("a.ipcs")
    frame.write_json("a.json")
    frame.write_ndjson("a.ndjson")
    frame.write_avro("a.avro")
    Path("part").mkdir()
    frame.write_parquet("part/1.parquet")
    frame.write_parquet("part/2.parquet")


@pytest.mark.parametrize(
    ("read", "files"),
    [
        (lambda pl: pl.read_csv("a.csv"), ["a.csv"]),
        (lambda pl: pl.read_csv(Path("a.csv")), ["a.csv"]),
        (lambda pl: pl.read_csv(source="a.csv"), ["a.csv"]),
        (lambda pl: pl.scan_csv(Path("a.csv").absolute()).collect(), ["a.csv"]),
        (lambda pl: pl.scan_csv(["a.csv", "b.csv"]).collect(), ["a.csv", "b.csv"]),
        (lambda pl: pl.read_csv("*.csv"), ["a.csv", "b.csv"]),
        (lambda pl: pl.read_parquet("a.parquet"), ["a.parquet"]),
        (lambda pl: pl.read_parquet("part"), ["1.parquet", "2.parquet"]),
        (lambda pl: pl.scan_parquet("part/*.parquet").collect(), ["1.parquet", "2.parquet"]),
        (lambda pl: pl.read_parquet_schema("a.parquet"), ["a.parquet"]),
        (lambda pl: pl.read_ipc("a.ipc"), ["a.ipc"]),
        (lambda pl: pl.scan_ipc("a.ipc").collect(), ["a.ipc"]),
        (lambda pl: pl.read_ipc_stream("a.ipcs"), ["a.ipcs"]),
        (lambda pl: pl.read_json("a.json"), ["a.json"]),
        (lambda pl: pl.read_ndjson("a.ndjson"), ["a.ndjson"]),
        (lambda pl: pl.scan_ndjson("a.ndjson").collect(), ["a.ndjson"]),
        (lambda pl: pl.read_avro("a.avro"), ["a.avro"]),
        (lambda pl: pl.read_csv(b"a\n1\n"), []),
    ],
)
def test_polars_reads(tracker, read, files):
    pl = pytest.importorskip("polars")
    polars_files(pl)
    assert opened(tracker, lambda: read(pl)) == (files, [])


@pytest.mark.parametrize(
    "write",
    [
        lambda frame: frame.write_csv("new"),
        lambda frame: frame.write_parquet(Path("new")),
        lambda frame: frame.write_ipc(file="new"),
        lambda frame: frame.write_json("new"),
        lambda frame: frame.write_avro("new"),
        lambda frame: frame.lazy().sink_csv("new"),
        lambda frame: frame.lazy().sink_parquet("new"),
    ],
)
def test_polars_writes(tracker, write):
    pl = pytest.importorskip("polars")
    assert opened(tracker, lambda: write(pl.DataFrame({"a": [1]}))) == ([], ["new"])


def arrow_files(pa):
    import pyarrow.feather
    import pyarrow.orc
    import pyarrow.parquet  # noqa: F401

    table = pa.table({"a": [1, 2]})
    Path("a.csv").write_text("a\n1\n")
    Path("a.json").write_text('{"a": 1}\n')
    pa.parquet.write_table(table, "a.parquet")
    pa.feather.write_feather(table, "a.feather")
    pa.orc.write_table(table, "a.orc")
    Path("part").mkdir()
    pa.parquet.write_table(table, "part/1.parquet")
    pa.parquet.write_table(table, "part/2.parquet")
    for name, new in (("a.arrow", pa.ipc.new_file), ("a.arrows", pa.ipc.new_stream)):
        with new(name, table.schema) as writer:
            writer.write_table(table)


@pytest.mark.parametrize(
    ("read", "files"),
    [
        (lambda pa: pa.parquet.read_table("a.parquet"), ["a.parquet"]),
        (lambda pa: pa.parquet.read_table(Path("a.parquet"), memory_map=True), ["a.parquet"]),
        (lambda pa: pa.parquet.read_table("part"), ["1.parquet", "2.parquet"]),
        (lambda pa: pa.parquet.ParquetFile("a.parquet").read(), ["a.parquet"]),
        (lambda pa: pa.parquet.read_metadata("a.parquet"), ["a.parquet"]),
        (lambda pa: pa.parquet.read_schema("a.parquet"), ["a.parquet"]),
        (lambda pa: pa.dataset.dataset("part").to_table(), ["1.parquet", "2.parquet"]),
        (lambda pa: pa.dataset.dataset(["part/1.parquet", "a.parquet"]).to_table(), ["a.parquet", "1.parquet"]),
        (lambda pa: pa.csv.read_csv("a.csv"), ["a.csv"]),
        (lambda pa: pa.csv.open_csv("a.csv").read_all(), ["a.csv"]),
        (lambda pa: pa.json.read_json("a.json"), ["a.json"]),
        (lambda pa: pa.feather.read_table("a.feather"), ["a.feather"]),
        (lambda pa: pa.feather.read_feather("a.feather"), ["a.feather"]),
        (lambda pa: pa.orc.read_table("a.orc"), ["a.orc"]),
        (lambda pa: pa.orc.ORCFile("a.orc").read(), ["a.orc"]),
        (lambda pa: pa.ipc.open_file("a.arrow").read_all(), ["a.arrow"]),
        (lambda pa: pa.ipc.open_stream("a.arrows").read_all(), ["a.arrows"]),
        (lambda pa: pa.memory_map("a.csv").close(), ["a.csv"]),
        (lambda pa: pa.OSFile("a.csv").close(), ["a.csv"]),
        (lambda pa: pa.input_stream("a.csv").close(), ["a.csv"]),
        (lambda pa: pa.input_stream(pa.py_buffer(b"memory")).close(), []),
    ],
)
def test_arrow_reads(tracker, read, files):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.csv
    import pyarrow.dataset
    import pyarrow.json  # noqa: F401

    arrow_files(pa)
    found = opened(tracker, lambda: read(pa))
    assert found == (files, [])


@pytest.mark.parametrize(
    "write",
    [
        lambda pa, table: pa.parquet.write_table(table, "new"),
        lambda pa, table: pa.feather.write_feather(table, "new"),
        lambda pa, table: pa.csv.write_csv(table, "new"),
        lambda pa, table: pa.orc.write_table(table, "new"),
        lambda pa, table: pa.OSFile("new", "w").close(),
        lambda pa, table: pa.OSFile("new", mode="wb").close(),
        lambda pa, table: pa.output_stream("new").close(),
        lambda pa, table: pa.ipc.new_file("new", table.schema).close(),
    ],
)
def test_arrow_writes(tracker, write):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.csv
    import pyarrow.feather
    import pyarrow.orc
    import pyarrow.parquet  # noqa: F401

    table = pa.table({"a": [1]})
    assert opened(tracker, lambda: write(pa, table)) == ([], ["new"])


def test_pandas(tracker):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": [1, 2]})
    for kind in ("csv", "parquet", "feather", "pickle"):
        path = f"a.{kind}"
        assert opened(tracker, lambda kind=kind, path=path: getattr(frame, f"to_{kind}")(path)) == ([], [path])
        assert opened(tracker, lambda kind=kind, path=path: getattr(pd, f"read_{kind}")(path)) == ([path], [])


def test_numpy(tracker):
    import numpy as np

    assert opened(tracker, lambda: np.save("a.npy", np.ones(3))) == ([], ["a.npy"])
    assert opened(tracker, lambda: np.savez("a.npz", x=np.ones(3))) == ([], ["a.npz"])
    for read in (
        np.load,
        lambda path: np.load(path, mmap_mode="r"),
        lambda path: np.memmap(path, mode="r"),
        np.fromfile,
    ):
        assert opened(tracker, lambda read=read: read("a.npy")) == (["a.npy"], [])
    assert opened(tracker, lambda: np.load("a.npz")["x"]) == (["a.npz"], [])


def test_torch(tracker):
    torch = pytest.importorskip("torch")
    assert opened(tracker, lambda: torch.save({"w": torch.ones(2)}, "a.pt")) == ([], ["a.pt"])
    assert opened(tracker, lambda: torch.load("a.pt")) == (["a.pt"], [])
    assert opened(tracker, lambda: torch.load("a.pt", mmap=True)) == (["a.pt"], [])
    Path("raw").write_bytes(bytes(16))
    assert opened(tracker, lambda: torch.from_file("raw", size=4)) == (["raw"], [])


class Numbers:
    def __len__(self):
        return 4

    def __getitem__(self, at):
        import numpy as np

        return np.load(f"{at}.npy")


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="children report through Linux's anonymous files")
def test_workers_of_a_data_loader(tracker):
    torch = pytest.importorskip("torch")
    import numpy as np

    for number in range(4):
        np.save(f"{number}.npy", np.ones(2))
    loader = torch.utils.data.DataLoader(Numbers(), num_workers=2, multiprocessing_context="fork")
    assert opened(tracker, lambda: list(loader)) == ([f"{number}.npy" for number in range(4)], [])


def test_safetensors(tracker):
    pytest.importorskip("safetensors")
    import numpy as np
    import safetensors
    from safetensors.numpy import load_file, save_file

    assert opened(tracker, lambda: save_file({"w": np.ones(2)}, "a.safetensors")) == ([], ["a.safetensors"])
    assert opened(tracker, lambda: load_file("a.safetensors")) == (["a.safetensors"], [])

    def read():
        with safetensors.safe_open("a.safetensors", framework="np") as file:
            assert file.keys() == ["w"]

    assert opened(tracker, read) == (["a.safetensors"], [])


def test_h5py(tracker):
    h5py = pytest.importorskip("h5py")
    assert opened(tracker, lambda: h5py.File("a.h5", "w").close()) == ([], ["a.h5"])
    assert opened(tracker, lambda: h5py.File("a.h5").close()) == (["a.h5"], [])
    assert opened(tracker, lambda: h5py.File("a.h5", mode="a").close()) == (["a.h5"], ["a.h5"])
    assert opened(tracker, lambda: h5py.File("b.h5", "a").close()) == ([], ["b.h5"])


def test_classes_stay_classes_while_they_are_watched(tracker):
    pa = pytest.importorskip("pyarrow")
    Path("a").write_bytes(b"x")
    early = pa.OSFile("a")
    with tracker.tracking():
        assert isinstance(early, pa.OSFile)
        assert isinstance(pa.OSFile("a"), pa.OSFile)
        assert not isinstance(3, pa.OSFile)
        assert issubclass(type(early), pa.OSFile)
        assert pa.OSFile | None == type(early) | None
        assert pa.OSFile.__doc__ == type(early).__doc__
        assert isinstance(type("Mine", (), {}), type)

        class Mine(pa.OSFile):
            pass

        assert Mine.__bases__ == (type(early),)


# How they are replaced and put back, in a process of their own


def run(code, folder, *, library):
    pytest.importorskip(library)
    lines = "import sys, types\nfrom pathlib import Path\nfrom pytest_mlrepro.tracking import FileTracker\n"
    subprocess.run(
        [sys.executable, "-W", "error", "-c", lines + code], check=True, cwd=folder, env={**os.environ, "COLUMNS": "80"}
    )


def test_what_modules_took_before_is_seen_and_put_back(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "mine.py").write_text("from polars import read_csv as read, DataFrame\nimport polars as pl\n")
    code = """
import mine, polars
before = polars.read_csv, polars.io.read_csv, polars.io.csv.functions.read_csv, mine.read, vars(mine.DataFrame)['write_csv']
tracker = FileTracker([Path('.')])
for _ in range(2):
    with tracker.tracking() as seen:
        mine.read('a.csv')
    assert [path.name for path in seen.read] == ['a.csv']
    assert mine.read is not before[3]
    assert mine.read.__wrapped__ is before[3] and mine.read.__name__ == 'read_csv'
late = types.ModuleType('late'); sys.modules['late'] = late; late.read = polars.read_csv
tracker.close()
assert before[:3] == (polars.read_csv, polars.io.read_csv, polars.io.csv.functions.read_csv)
assert before[3:] == (mine.read, vars(mine.DataFrame)['write_csv'])
assert late.read is before[0]
"""
    run(code, tmp_path, library="polars")


def test_a_library_imported_inside_is_seen_and_put_back(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    code = """
tracker = FileTracker([Path('.')])
with tracker.tracking() as seen:
    from polars import read_csv
    import polars as pl
    from pyarrow import csv
    read_csv('a.csv')
assert [path.name for path in seen.read] == ['a.csv']
with tracker.tracking() as seen:
    csv.read_csv('a.csv')
assert [path.name for path in seen.read] == ['a.csv']
tracker.close()
assert not hasattr(pl.read_csv, '__mlrepro_real__') and not hasattr(csv.read_csv, '__mlrepro_real__')
assert not hasattr(pl.DataFrame.write_csv, '__mlrepro_real__')
for module in list(sys.modules.values()):
    for name, value in list(getattr(module, '__dict__', {}).items()):
        assert not isinstance(value, types.FunctionType) or '__mlrepro_real__' not in vars(value), (module, name)
"""
    run(code, tmp_path, library="polars")


def test_a_module_imported_between_two_stretches_is_seen(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    code = """
import pyarrow.csv
kept = [pyarrow.csv.read_csv]
tracker = FileTracker([Path('.')])
with tracker.tracking(): pass
late = types.ModuleType('late'); late.read = kept[0]; sys.modules['late'] = late
with tracker.tracking() as seen:
    late.read('a.csv')
assert [path.name for path in seen.read] == ['a.csv']
tracker.close()
assert late.read is kept[0]
"""
    run(code, tmp_path, library="pyarrow")


def test_a_module_that_held_a_function_before_its_library_was_known_is_seen(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    code = """
import pyarrow, pyarrow._csv
held = types.ModuleType('held'); held.read = pyarrow._csv.read_csv; sys.modules['held'] = held
tracker = FileTracker([Path('.')])
with tracker.tracking() as seen:
    import pyarrow.csv
    held.read('a.csv')
assert [path.name for path in seen.read] == ['a.csv']
tracker.close()
"""
    run(code, tmp_path, library="pyarrow")


def test_two_trackers_share_what_is_replaced(tmp_path):
    code = """
import polars
(real,) = kept = [polars.read_csv]
first, second = FileTracker([Path('.')]), FileTracker([Path('.')])
with first.tracking(), second.tracking(): pass
first.close()
assert polars.read_csv is not kept[0]
second.close()
assert polars.read_csv is kept[0] is real
first.tracking(); assert polars.read_csv is not kept[0]; first.close(); assert polars.read_csv is real
"""
    run(code, tmp_path, library="polars")


def test_what_somebody_else_replaced_stays(tmp_path):
    code = """
import polars
tracker = FileTracker([Path('.')])
with tracker.tracking():
    fake = polars.read_csv = lambda path: path
    method = polars.DataFrame.write_csv = lambda self, path: path
tracker.close()
assert polars.read_csv is fake and polars.DataFrame.write_csv is method
"""
    run(code, tmp_path, library="polars")


def test_a_seeded_test_and_a_tracker_both_hear_of_an_import(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    code = """
from pytest_mlrepro import seed_everything
assert 'polars' not in sys.modules
tracker = FileTracker([Path('.')])
with tracker.tracking() as seen, seed_everything(3):
    import polars as pl
    pl.read_csv('a.csv')
    first = pl.Series(range(100)).shuffle().to_list()
with seed_everything(3):
    assert pl.Series(range(100)).shuffle().to_list() == first
assert [path.name for path in seen.read] == ['a.csv']
tracker.close()
"""
    run(code, tmp_path, library="polars")


@pytest.mark.parametrize("library", sorted({target.module.partition(".")[0] for target in TABLE}))
def test_the_table_names_what_the_library_has(library):
    """A name that no supported version has would be a promise that nothing keeps."""
    pytest.importorskip(library)
    import importlib

    gone = {("polars", "read_csv_batched"), ("polars", "read_lines"), ("polars", "scan_lines")}
    for target in TABLE:
        if target.module.partition(".")[0] == library and (target.module, target.name) not in gone:
            owner = importlib.import_module(target.module)
            for step in target.name.split("."):
                owner = getattr(owner, step)
            assert callable(owner)
