"""Digests written down: a change of any of them breaks every golden that people have recorded."""

import datetime as dt
import struct
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from blake3 import blake3

from pytest_mlrepro.fingerprints import fingerprint

Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = 1


@dataclass
class Config:
    rate: float
    sizes: tuple


def nan_of(dtype):
    return np.array([1, np.nan, -0.0], dtype)


CORE = {
    "none": (lambda: None, "mlrepro1-blake3:1ca6d3f0f345da3eb513fd4a72e55fdc00ae5bbd494d1cf97012e01578a25391"),
    "true": (lambda: True, "mlrepro1-blake3:1aa264ed71f2e28b5504f5ab23ec35096c84241e52e4c3250919a498ee8a6c52"),
    "int": (lambda: -(2**70), "mlrepro1-blake3:aa5fa8afac9381dbcaf7138bcb8414b6e3194e16289c44c63be1e4d9c340108c"),
    "float": (lambda: 0.1, "mlrepro1-blake3:b59157c240ce8247f7a1a1863cfe90f0f36a4f89544b5f834be8f5d8460e4516"),
    "nan": (lambda: float("nan"), "mlrepro1-blake3:8787dc1eb93be15b09919b99947715a4f5980f507e855d016beee7895d475aba"),
    "complex": (lambda: 1 - 2j, "mlrepro1-blake3:1e56ac5dd294a58b279bea4c9ce7052487cb298a792f5a49eae93e4284098d9e"),
    "str": (lambda: "é\ud800", "mlrepro1-blake3:e7ede8c24fad092a5ee2c92b863458d002da7f714000e041c6c98d9717d47e46"),
    "bytes": (lambda: b"\0\xff", "mlrepro1-blake3:2bf6a3d56f6d6a3c816a6efa80fb228edf66185a953a0cf65902a9edd114c69a"),
    "datetime": (
        lambda: dt.datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")),
        "mlrepro1-blake3:6457284b979db85083dfd5c71d8b0fc03a00e4cbd27aca7f164630302f004b10",
    ),
    "date": (
        lambda: dt.date(2024, 2, 29),
        "mlrepro1-blake3:2bc9c190a7f33741838b7ee0deed2b368fd47ee6d4cabfe379258a14a5512b2e",
    ),
    "time": (
        lambda: dt.time(1, 2, 3, 4),
        "mlrepro1-blake3:1ee34d13904536a5cf464fc264decdc88c7fea00d76c7387ce332a9c78cde9ba",
    ),
    "timedelta": (
        lambda: dt.timedelta(-1, 5),
        "mlrepro1-blake3:765c18a167787698cb75073fa42c8f1bb9c4ea52aacf9b51dab046d70037efb4",
    ),
    "decimal": (
        lambda: Decimal("1.50"),
        "mlrepro1-blake3:73a069e070cc51d6b5c02d7bf5b7217af1322535138a8760767686a91b12c552",
    ),
    "fraction": (
        lambda: Fraction(-1, 3),
        "mlrepro1-blake3:2659fd6ced07fccacdf34fa9bfea636ca7a3af8538cd664e6ce9404492600968",
    ),
    "uuid": (lambda: UUID(int=5), "mlrepro1-blake3:7876f8be1f931b00dec5e0533e3f8315e9c0f3dc26f8fdf54d426012d56d53e4"),
    "path": (
        lambda: PurePosixPath("a/b"),
        "mlrepro1-blake3:2fe45879126352d68c338bafece0bcc407c404f74b86c9d43ae62d378b026b3a",
    ),
    "enum": (lambda: Colour.RED, "mlrepro1-blake3:dc137755b77e49112d0c61920dff61912141a506b3d277a700fc465166c40944"),
    "range": (
        lambda: range(1, 9, 3),
        "mlrepro1-blake3:7d40de78664377e28028857ac352c6e1a8e18bdb0668b71195ab6c22c11fc1cf",
    ),
    "empty list": (lambda: [], "mlrepro1-blake3:6a9cea843d43cbf678b2d717caadb2272bd20ee582eed9ba48f8648067234cf0"),
    "list of floats": (
        lambda: [0.5, -0.0],
        "mlrepro1-blake3:3e3989ff4c25308aec4b581d50d69b2cd2ac39ca75e82180ad3c79f6f320b834",
    ),
    "tuple of texts": (
        lambda: ("a", "bc"),
        "mlrepro1-blake3:3c3bc63d18315202809367e5263f5bacc9d01242ec77df7093fb599ee9d41152",
    ),
    "mixed list": (
        lambda: [1, 1.0, "1", None],
        "mlrepro1-blake3:3fe223dca43dfd30ab0438d69d8c75c734b9dc4e9e34050d5ee395b127495d79",
    ),
    "dict": (
        lambda: {"b": 1, "a": [True], 3: None, (1, "x"): 2.0},
        "mlrepro1-blake3:8194430b7070389eca91dc4240a26674bf43dbfc97d84d2ecd0d1a46c39fba0f",
    ),
    "set": (lambda: {1, "a", None}, "mlrepro1-blake3:79842f52c1fb159cb93e509b964bc3549c984e6146e88a54deaa8a47b546cdfa"),
    "frozenset": (
        lambda: frozenset("abc"),
        "mlrepro1-blake3:5136c3fc4dc98a118f90048a31eb6c7badf8b99697ae0fe4b3602374cd953a69",
    ),
    "namedtuple": (
        lambda: Point(1, [2]),
        "mlrepro1-blake3:854e2279855188e10feec7d54675c94b1affea6eae56266329a763a4308d49bf",
    ),
    "dataclass": (
        lambda: Config(0.1, (3, 4)),
        "mlrepro1-blake3:8d0c1f1db0bc11ab3acbd820ccdf1579a0db33f083eab13062c8f6c20be4b5e8",
    ),
    "float64": (
        lambda: np.arange(6.0).reshape(2, 3),
        "mlrepro1-blake3:7599c8f57b38c371ae0cfa23665da6fa0757b7337bc7c7faca6b3eb41199e048",
    ),
    "float16": (
        lambda: nan_of("f2"),
        "mlrepro1-blake3:eb0f48a8c32b4d50fd937dd6cbd365f031e67aff77f6a16c4e51196ca7ce4aaf",
    ),
    "complex64": (
        lambda: nan_of("c8"),
        "mlrepro1-blake3:93dd0f5cd5221957435f86a7821fb509f16b0b8738c98886168d1613eb04b852",
    ),
    "bool": (
        lambda: np.array([True, False]),
        "mlrepro1-blake3:b522ca950649069f8c69332088bccccadf13ac0187915b0f5a4651b6b3794b56",
    ),
    "numpy scalar": (
        lambda: np.uint8(7),
        "mlrepro1-blake3:f5d4c230e20e0a25d9c17a4733378ff3868e5e90d6285f224a11881da196dfee",
    ),
    "datetime64": (
        lambda: np.array(["2024-01-01", "NaT"], "M8[ms]"),
        "mlrepro1-blake3:9e1d1de041f4749d1cb7605e87e7ee0f98b79f9760bd7cb30968fafa042a06db",
    ),
    "numpy text": (
        lambda: np.array([["a", "bcd"]]),
        "mlrepro1-blake3:f96d919269d0d18cbd0cd31a3015479a9a1c24e533dabcfb8870eb94f66d46b5",
    ),
    "numpy bytes": (
        lambda: np.array([b"a", b""]),
        "mlrepro1-blake3:4bad062d4099da98cc1345c0ebec23b208844be3863ba9143c20d34cfb2bc92d",
    ),
    "structured": (
        lambda: np.array([(1, 2.0)], [("a", "i4"), ("b", "f8", (2,))]),
        "mlrepro1-blake3:6455b815af3a154fe4d81b91e80c286f05f364d353dafd2b7b57f8e41bcadd7b",
    ),
    "masked": (
        lambda: np.ma.masked_array([1, 2], [0, 1]),
        "mlrepro1-blake3:4c84352927f44776f94c79b1ce34d43e69a35cb509505f356688ca39866d5a86",
    ),
    "objects": (
        lambda: np.array([1, None], object),
        "mlrepro1-blake3:0f10f6456ce4a2f7178216d6133178e8f23350cbf915cecb8f45751d60aeff9f",
    ),
    "three pieces": (
        lambda: np.arange(1_200_000, dtype="f8"),
        "mlrepro1-blake3:90a4c57cb0e5f7f5693e1f4c364c058fd76f19f5b43838de8042589946b41789",
    ),
    "two pieces of text": (
        lambda: [str(i) for i in range(70_000)],
        "mlrepro1-blake3:c5ade76cd29dc974733a78daca40ff16ca41ab967e9a625635c390b7b6761e9f",
    ),
}
LIBRARIES = {
    "tensor": (
        "torch",
        lambda torch: torch.tensor([1.0, float("nan")], dtype=torch.bfloat16),
        "mlrepro1-blake3:050ed17ee1743a55dd74e883a76394c384471b07f2e0107d27471cdcee757dd5",
    ),
    "float8": (
        "torch",
        lambda torch: torch.ones(2).to(torch.float8_e4m3fn),
        "mlrepro1-blake3:20d4053b2074877279484ae2dd068869e89b73ba5be0d40623977a55cc56efc5",
    ),
    "sparse tensor": (
        "torch",
        lambda torch: torch.eye(2).to_sparse(),
        "mlrepro1-blake3:3e6c8363884ff2557cbd95de3beaebf2547d3fffd801c6c5b3e15eb32e2abf5f",
    ),
    "frame": (
        "pandas",
        lambda pd: pd.DataFrame({"a": [1.5, 2.5], "b": pd.array([1, None], dtype="Int64")}),
        "mlrepro1-blake3:6be5ba118ade9bd50deadaae6a3d71c1c893ada645cf20efcc5d7163fe00f93d",
    ),
    "series": (
        "pandas",
        lambda pd: pd.Series(pd.Categorical([5, None], [7, 5]), name="c"),
        "mlrepro1-blake3:eb94134563ae982118e87a16769a339038cf7c6f3e67853395174555039e805d",
    ),
    "multi-index": (
        "pandas",
        lambda pd: pd.MultiIndex.from_tuples([(1, 2.0), (3, 4.0)], names=["a", None]),
        "mlrepro1-blake3:710cb1b1167562b2426a1f3d4cf5b949ffa53d74a92d47d242402995a378f343",
    ),
    "timestamp": (
        "pandas",
        lambda pd: pd.Timestamp("2024-01-01", tz="UTC"),
        "mlrepro1-blake3:bd5870dbbbb59f00f78d7807a4f7963a715b806dcf5125496d4faaad10ba2def",
    ),
    "polars frame": (
        "polars",
        lambda pl: pl.DataFrame({"a": [1, None], "b": [[1, 2], None], "c": ["x", None]}),
        "mlrepro1-blake3:8a7875468af8b90d2d3dc627fe2c51edd652aa0c104c014151c1cba69ed48cca",
    ),
    "table": (
        "pyarrow",
        lambda pa: pa.table({"a": [1, None], "b": [{"x": 1}, None], "c": [[True], []]}),
        "mlrepro1-blake3:494468b4024df127a55eafcd8d7102161e6111437663d833db9ff32af3fee798",
    ),
    "sparse": (
        "scipy.sparse",
        lambda sp: sp.csr_array(np.eye(2)),
        "mlrepro1-blake3:72d7095faa7d1be36e01cca0da45fd3c78562eecb852f7bda9af694b4b177079",
    ),
}


@pytest.mark.parametrize("name", CORE)
def test_core(name):
    make, expected = CORE[name]
    assert fingerprint(make()).digest == expected


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries(name):
    library, make, expected = LIBRARIES[name]
    assert fingerprint(make(pytest.importorskip(library))).digest == expected


def u64(*numbers):
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def lp(data):
    return u64(len(data)) + data


def digest(*encoded):
    return blake3(b"".join(encoded)).digest()


def test_document_by_hand():
    """The encoding, followed on paper from docs/fingerprint-format.md, without the code under test."""
    one = digest(b"mlrepro1S", lp(b"int"), lp(b"\1"))
    key = digest(b"mlrepro1S", lp(b"int"), lp(b"\x80\0"))  # 128 needs a ninth bit for its sign
    data = np.array([1.5, 2.5]).astype("<f8").tobytes()
    floats = digest(b"mlrepro1A", lp(b"list"), lp(b"float64"), u64(1, 2), b"\0", u64(1), lp(data))
    texts = digest(
        b"mlrepro1A", lp(b"tuple"), lp(b"str"), u64(1, 2), b"\0", u64(1), lp(u64(1, 2) + "é".encode() + b"ab")
    )
    children = [b"n" + key + one, b"s" + lp(b"a") + floats, b"s" + lp(b"b") + texts]
    whole = digest(b"mlrepro1G", lp(b"dict"), u64(0), u64(3), *children)
    found = fingerprint({"b": ("é", "ab"), "a": [1.5, 2.5], 128: 1})
    assert found.digest == "mlrepro1-blake3:" + whole.hex()
    assert [part.digest[16:] for _, part in found.parts] == [one.hex(), floats.hex(), texts.hex()]


def test_document_by_hand_of_pieces_and_nulls():
    big = np.arange(524_289, dtype="<f8")
    pieces = digest(big[:524_288].tobytes()) + digest(big[524_288:].tobytes())
    header = [b"mlrepro1A", lp(b"numpy.ndarray"), lp(b"float64"), u64(1, 524_289), b"\0"]
    assert fingerprint(big).digest == "mlrepro1-blake3:" + digest(*header, u64(2), pieces).hex()
    masked = digest(
        b"mlrepro1A",
        lp(b"numpy.MaskedArray"),
        lp(b"int16"),
        u64(1, 2),
        b"\1",
        u64(1),
        lp(b"\5\0\0\0"),
        u64(1),
        lp(b"\1\0"),
    )
    assert fingerprint(np.ma.masked_array([5, 7], [0, 1], "i2")).digest == "mlrepro1-blake3:" + masked.hex()
