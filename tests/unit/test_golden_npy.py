"""Arrays in files: every bit comes back, in pieces, without a pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_mlrepro.errors import GoldenError
from pytest_mlrepro.golden.npy import FileSource, open_source, write_source
from pytest_mlrepro.values.sources import FlatSource

NUMBERS = hnp.arrays(
    st.sampled_from(["f2", "f4", "f8", "i1", "i8", "u8", "c8", "c16", "?"]), hnp.array_shapes(min_dims=0, min_side=0)
)


@settings(max_examples=60)
@given(array=NUMBERS)
def test_numbers_come_back_bit_for_bit(array: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    write_source(path, FlatSource(array.reshape(-1)), array.dtype.name, array.shape)
    back = open_source(path, array.dtype.name, array.shape).read(0, array.size)
    assert back.tobytes() == array.tobytes()
    assert np.load(path, allow_pickle=False).tobytes() == array.tobytes()


@settings(max_examples=60)
@given(items=st.lists(st.text()), data=st.data())
def test_strings_come_back_from_any_range(
    items: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    chunk = np.empty(len(items), dtype=object)
    chunk[:] = items
    write_source(path, FlatSource(chunk), "str", (len(items),))
    source = open_source(path, "str", (len(items),))
    start = data.draw(st.integers(0, len(items)))
    stop = data.draw(st.integers(start, len(items)))
    assert source.read(start, stop).tolist() == items[start:stop]


def test_lone_surrogates_and_binary_zeros_come_back(tmp_path: Path) -> None:
    chunk = np.array(["\ud800", "a\0", ""], dtype=object)
    write_source(tmp_path / "a.npy", FlatSource(chunk), "str", (3,))
    assert open_source(tmp_path / "a.npy", "str", (3,)).read(0, 3).tolist() == ["\ud800", "a\0", ""]


def test_a_pickled_array_is_refused_and_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(GoldenError):
        open_source(tmp_path / "a.npy", "float64", (1,))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", b"version https://git-lfs"])
def test_what_is_no_npy_file_is_an_error_of_ours(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(GoldenError, match=r"a\.npy"):
        open_source(tmp_path / "a.npy", "float64", (1,))


def test_a_file_cut_short_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    write_source(path, FlatSource(np.arange(100.0)), "float64", (100,))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(GoldenError, match="not as it was written"):
        open_source(path, "float64", (100,))


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        facts = {"descr": "<f8", "fortran_order": False, "shape": (4_000_000_000_000,)}
        np.lib.format.write_array_header_1_0(file, facts)
    with pytest.raises(GoldenError, match="not as it was written"):
        open_source(path, "float64", (4_000_000_000_000,))


def test_two_threads_read_ranges_of_their_own(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    array = np.arange(100_000.0)
    write_source(tmp_path / "a.npy", FlatSource(array), "float64", array.shape)
    source = open_source(tmp_path / "a.npy", "float64", array.shape)
    assert isinstance(source, FileSource)
    with ThreadPoolExecutor(4) as pool:
        sums = pool.map(lambda start: float(source.read(start, start + 1000).sum()), range(0, 100_000, 1000))
    assert list(sums) == array.reshape(100, 1000).sum(axis=1).tolist()
