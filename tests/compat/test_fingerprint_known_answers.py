"""Digests written down: a change of any of them breaks every golden that people have recorded."""

import datetime as dt
import random
import re
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
from tests.unit import second_fingerprint

Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = 1


@dataclass
class Config:
    rate: float
    sizes: tuple


def nan_of(dtype):
    return np.array([1, np.nan, -0.0], dtype)


def torch_module(torch, *, mixed=False):
    """Weights by hand: what a library's own start draws may change with its version."""
    module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Dropout(0.25))
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, -2.0]]))
        module[0].bias.fill_(0.5)
    module[1].train(not mixed)
    return module


def torch_optimizer(torch):
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    optimizer.state[weight]["momentum_buffer"] = torch.tensor([1.0, 2.0])
    state = {"lr", "momentum", "params"}  # later versions have more, which isn't what is held here
    optimizer.param_groups[0] = {key: item for key, item in optimizer.param_groups[0].items() if key in state}
    return optimizer


def only(estimator, **params):
    """Return the estimator with these hyper-parameters alone, whatever else its version has."""
    kind = type(estimator).__name__
    known = type(kind, (type(estimator),), {"get_params": lambda self, deep=True: params})
    known.__module__, known.__qualname__ = type(estimator).__module__.partition("._")[0], kind
    twin = known.__new__(known)
    vars(twin).update(params)
    return twin


def linear_model(linear):
    model = only(linear.Ridge(), alpha=0.5, solver="svd")
    model.coef_, model.intercept_, model.n_features_in_ = np.array([1.0, -2.0]), 0.25, 2
    return model


def steps(pipeline):
    linear = pytest.importorskip("sklearn.linear_model")
    return only(pipeline.Pipeline([]), steps=[("scale", "passthrough"), ("clf", linear_model(linear))], verbose=False)


def columns(compose):
    linear = pytest.importorskip("sklearn.linear_model")
    return only(
        compose.ColumnTransformer([]), transformers=[("a", linear_model(linear), slice(0, 2)), ("b", "drop", ["x"])]
    )


CORE = {
    "none": (lambda: None, "mlrepro1-blake3:686f20ad6f0a5eac884db77f08566a2234946b237111abcd1cbdb0b19fdce6ce"),
    "true": (lambda: True, "mlrepro1-blake3:4383a2ac091d6e557c66124edf41627e251808215e63fdbd8dcc6859e4342899"),
    "int": (lambda: -(2**70), "mlrepro1-blake3:d0c79c2e9efa60887000a559eb08d9554a04bd8e905b47a3d059f90ea0e35947"),
    "float": (lambda: 0.1, "mlrepro1-blake3:3c29fc60db847d8c1f9d50d7e9e17bcb3abfdd4f860ac87cf6dec39102336be3"),
    "nan": (lambda: float("nan"), "mlrepro1-blake3:bd51c2aea1427114ebef036c0a3eba31f976b695f6d88a1a71f100cc1b434c06"),
    "complex": (lambda: 1 - 2j, "mlrepro1-blake3:9df4a975fd8bdab9a4855fb380972aa74a4de1a21f590e1b2e924b1ae20eed16"),
    "str": (lambda: "é\ud800", "mlrepro1-blake3:02e2f1a3d847512f4b24d54c8e1a9c756fc500e5bc199d93b0502c54b2bcfd3f"),
    "bytes": (lambda: b"\0\xff", "mlrepro1-blake3:a831a597c5babd4fdf9bccf5b4818fada06c8de251b0e12232225545db856116"),
    "datetime": (
        lambda: dt.datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")),
        "mlrepro1-blake3:dd2b034c500074de6b90af3d8dd6abafa0cb3bc6c003a697d2fe04c2780f8455",
    ),
    "date": (
        lambda: dt.date(2024, 2, 29),
        "mlrepro1-blake3:93c71fb90217b129941328b9fe21d0d670fa0b4dcb63eb16bb30718988a7b417",
    ),
    "time": (
        lambda: dt.time(1, 2, 3, 4),
        "mlrepro1-blake3:260c3064cbec58be6c1c24954cd66686becb6f1b84adff2c4dfcb39ab2a4ce8d",
    ),
    "timedelta": (
        lambda: dt.timedelta(-1, 5),
        "mlrepro1-blake3:fe2c60bd636d71fd7b86e9488b30c427cf9661f5c7b7554409b7c61596e23a92",
    ),
    "decimal": (
        lambda: Decimal("1.50"),
        "mlrepro1-blake3:65b21479eb8318f0f4354614afb979723402949ff5240a4e449fde09b5ba308b",
    ),
    "fraction": (
        lambda: Fraction(-1, 3),
        "mlrepro1-blake3:88824d9d81138fed164e1b6131826bcfe3f88887d92de9c4fb9c62030156550c",
    ),
    "uuid": (lambda: UUID(int=5), "mlrepro1-blake3:8a9fa7fe7d0e6138f52f368dbde72ec7d01cc71926561cd03d7bdbfe82839a35"),
    "path": (
        lambda: PurePosixPath("a/b"),
        "mlrepro1-blake3:17969d66bcfbb97d5e518143b210e64ff41c349c8e4330efe9c16acddf8cb8d1",
    ),
    "enum": (lambda: Colour.RED, "mlrepro1-blake3:11295b5722aac62c1b87bfcdf6addde6ef8bfaf3c8e01875f97bf50a97f652dd"),
    "range": (
        lambda: range(1, 9, 3),
        "mlrepro1-blake3:ded159f29b613a6debdc2ccea91401f7ae22927b252c8af36ca39a1cd39b7373",
    ),
    "empty list": (lambda: [], "mlrepro1-blake3:387c2d6d1a736e49bebecb739e0fd9e21e16a242e715c4ecc1c74b7df6cf87f4"),
    "list of floats": (
        lambda: [0.5, -0.0],
        "mlrepro1-blake3:ab679dcc04b93bf28fb13e3f196b3ed174d0b897586195abccb35ef8314a4460",
    ),
    "tuple of texts": (
        lambda: ("a", "bc"),
        "mlrepro1-blake3:a95b8f9f8e536d5dc301f4ab7509900db65a377c039f365f0479a06418b60ba4",
    ),
    "mixed list": (
        lambda: [1, 1.0, "1", None],
        "mlrepro1-blake3:032d59f119ccdbfcaf15ba14fecb1f3eeb1fa6bedf928a8301fa0c2207ec51da",
    ),
    "dict": (
        lambda: {"b": 1, "a": [True], 3: None, (1, "x"): 2.0},
        "mlrepro1-blake3:a9d1ad443f10806dcbe46f4e31440f5838d3ce0907b1def4c78b00fc921dce72",
    ),
    "set": (lambda: {1, "a", None}, "mlrepro1-blake3:dd1ef5b593f458e04f5e38cc3eba9a848304e5b37f2f686633c1743ee9e99db4"),
    "frozenset": (
        lambda: frozenset("abc"),
        "mlrepro1-blake3:b3a0d44870cee9c09b08075288bcd7db261fa2268b8bd002fcdd9f620406f54d",
    ),
    "namedtuple": (
        lambda: Point(1, [2]),
        "mlrepro1-blake3:9cb7723f055ab6f53b4048cfb77130b60efe000da16e39c1ecec33f916489a3f",
    ),
    "dataclass": (
        lambda: Config(0.1, (3, 4)),
        "mlrepro1-blake3:00597629496a96efc6fb1b1a4e1d630ee799a9b967e4a72db43579fae739184a",
    ),
    "float64": (
        lambda: np.arange(6.0).reshape(2, 3),
        "mlrepro1-blake3:17e83e97ffe8392c6071627ce39470e6bf307ac5c96c8ce8e305a7a806a3e7ca",
    ),
    "float16": (
        lambda: nan_of("f2"),
        "mlrepro1-blake3:0ef7d2da4f5e68f0acd547b1426c6861c045ce639df4f25cf28ab06c44da7793",
    ),
    "complex64": (
        lambda: nan_of("c8"),
        "mlrepro1-blake3:98225f3f25a07cc6fea407e9399b19f774321ce5f5a4b586eda3fdbae5903f12",
    ),
    "bool": (
        lambda: np.array([True, False]),
        "mlrepro1-blake3:1b5757a90194404c28bc8ae4ccdb99e35747b2d9ee2dba832565ccd187cf0f71",
    ),
    "numpy scalar": (
        lambda: np.uint8(7),
        "mlrepro1-blake3:5107d26a9f544d3b2c5776c165202bf2d2f4c5a1a67dfda4bba43151130bf0f0",
    ),
    "datetime64": (
        lambda: np.array(["2024-01-01", "NaT"], "M8[ms]"),
        "mlrepro1-blake3:de1457969345a145752365eb703907c51930b0121ca019e670776a699729f016",
    ),
    "numpy text": (
        lambda: np.array([["a", "bcd"]]),
        "mlrepro1-blake3:23a11c5f45a3180c651898335f0716b3394631db276f5f1ee684c103ae26f795",
    ),
    "numpy bytes": (
        lambda: np.array([b"a", b""]),
        "mlrepro1-blake3:6a32e1e02690efa5a3fd5718f61380b830ef992581d81e8db135976e778f3a4d",
    ),
    "structured": (
        lambda: np.array([(1, 2.0)], [("a", "i4"), ("b", "f8", (2,))]),
        "mlrepro1-blake3:32b04ea57d7a092665d7fff58b44c4ac9c1cef97d18df4b1d38604c9152725ae",
    ),
    "masked": (
        lambda: np.ma.masked_array([1, 2], [0, 1]),
        "mlrepro1-blake3:415fbf1df0c3e4da84d7fb36edd2e9d9d02f1f2d59aab9eb3692f41ed09a129b",
    ),
    "objects": (
        lambda: np.array([1, None], object),
        "mlrepro1-blake3:a386fd2356809175347d2872adef077a3f7556d5c3be3a96722b613276337e59",
    ),
    "three pieces": (
        lambda: np.arange(1_200_000, dtype="f8"),
        "mlrepro1-blake3:07d8f5296807b62fe29c0ebace8f9f65b26864135b1defaacd91b23cc92de43b",
    ),
    "two pieces of text": (
        lambda: [str(i) for i in range(70_000)],
        "mlrepro1-blake3:ace93e84214bce887ec2e49e7138d41908b6c86e02364b14dc3e78424cb846b9",
    ),
    "slice": (
        lambda: slice(1, None, 2),
        "mlrepro1-blake3:1a43ff360104ecb5beb4a36069f9a0c645960ce433fdbcb30557c08feab0620e",
    ),
    "pattern": (
        lambda: re.compile("a+", re.IGNORECASE),
        "mlrepro1-blake3:7f521237f1ec5b129492bee9f6afb569bbc78e9e7bd10f11fa630748a1731f68",
    ),
    "random": (
        lambda: random.Random(5),
        "mlrepro1-blake3:ad564f92b6bf3e7b902a9a9d5601e068c651942eacfe9597948bffba0ca57e4f",
    ),
    "generator": (
        lambda: np.random.Generator(np.random.PCG64(5)),
        "mlrepro1-blake3:24f2ac3daf4070883ed9e6e322189fc2df841abd392ff7cb001553090eddf889",
    ),
    "random state": (
        lambda: np.random.RandomState(5),
        "mlrepro1-blake3:8632961d9bac544c5427636615429e5e17b727b7951c124816113f998c59f47b",
    ),
    "seed sequence": (
        lambda: np.random.SeedSequence(5, spawn_key=(1,)),
        "mlrepro1-blake3:6d7fccc1e880e46c237e0b1fb682664a46e7b70b3548af88c56074f60b709957",
    ),
    "masked objects": (
        lambda: np.ma.masked_array(np.array(["a", 1], object), [0, 1]),
        "mlrepro1-blake3:9d09be5f535835cd342a62caaa8ee83856d35ebe62be3bae8d94248b096acc66",
    ),
    "large text": (
        lambda: {"a": "x" * 5000, "b": [1]},
        "mlrepro1-blake3:772ac03cd2d3131bc0253aed2f1e6dde38c1e630aaaa12901b049c1451ca3c27",
    ),
    "many records": (
        lambda: [{"id": i, "x": i / 2, "name": f"n{i}"} for i in range(500)],
        "mlrepro1-blake3:ea4952012680c88f7a21ffeaee21e7fda502ca915db248b105705094f4abb1c4",
    ),
}
LIBRARIES = {
    "tensor": (
        "torch",
        lambda torch: torch.tensor([1.0, float("nan")], dtype=torch.bfloat16),
        "mlrepro1-blake3:4987c28afe01323c29c1d2cd5933124904b4cfaa4b0f7a74685f3244a56a3871",
    ),
    "float8": (
        "torch",
        lambda torch: torch.ones(2).to(torch.float8_e4m3fn),
        "mlrepro1-blake3:5fdb76a68177de43ab3266e91a00b091beed0dee5d2c576eba9683c02034c03f",
    ),
    "sparse tensor": (
        "torch",
        lambda torch: torch.eye(2).to_sparse(),
        "mlrepro1-blake3:6d083306dc104a24317ffaf94453fac328612da6cde7ed8d34f97dc2a64e5981",
    ),
    "frame": (
        "pandas",
        lambda pd: pd.DataFrame({"a": [1.5, 2.5], "b": pd.array([1, None], dtype="Int64")}),
        "mlrepro1-blake3:84ef96bf5c78e1dfdfb11cded007ec00504d2d9dc8afa51069556a8da72b8529",
    ),
    "series": (
        "pandas",
        lambda pd: pd.Series(pd.Categorical([5, None], [7, 5]), name="c"),
        "mlrepro1-blake3:6ac66401334635db08cdf2bcfd9f132953803f2dc313f5608a6587da28ac7aa5",
    ),
    "multi-index": (
        "pandas",
        lambda pd: pd.MultiIndex.from_tuples([(1, 2.0), (3, 4.0)], names=["a", None]),
        "mlrepro1-blake3:5a871d3734c9a2e1c0df7e771b32d7294367df1dac8b449d94bc0b095dadfea2",
    ),
    "timestamp": (
        "pandas",
        lambda pd: pd.Timestamp("2024-01-01", tz="UTC"),
        "mlrepro1-blake3:0b58ffdaaeeec942d6659b1749b8b0cbb830bb85f9f97c218379768e5519ab5b",
    ),
    "polars frame": (
        "polars",
        lambda pl: pl.DataFrame({"a": [1, None], "b": [[1, 2], None], "c": ["x", None]}),
        "mlrepro1-blake3:2f15154184c08feb2a604202c588c9b01705d24bfeeec148febfa17fa9aa2cbc",
    ),
    "table": (
        "pyarrow",
        lambda pa: pa.table({"a": [1, None], "b": [{"x": 1}, None], "c": [[True], []]}),
        "mlrepro1-blake3:ebf1d2673d6d81aafc82d79dd58221fa4e620a1a753d235e2ade606e7345eb0b",
    ),
    "sparse": (
        "scipy.sparse",
        lambda sp: sp.csr_array(np.eye(2)),
        "mlrepro1-blake3:e45941cbf809afd7ef6d05ebd4b8aa09ff40c4534749ada212e51dba8aa219be",
    ),
    "module": (
        "torch",
        lambda torch: torch_module(torch),
        "mlrepro1-blake3:1679abee1386c78b76d6b76e62db777b3a0d046a2b4ca79dc79f082341bda651",
    ),
    "module in two modes": (
        "torch",
        lambda torch: torch_module(torch, mixed=True),
        "mlrepro1-blake3:cb857049ff27431e6e6639a59a3f2b2aed01bf6cb064256f563d4ca45a36c23f",
    ),
    "optimizer": (
        "torch",
        lambda torch: torch_optimizer(torch),
        "mlrepro1-blake3:656945833fd1a2e3d7e96276c44b34655ac540d717efa052e62cf94456372555",
    ),
    "state": (
        "torch",
        lambda torch: torch_module(torch).state_dict(),
        "mlrepro1-blake3:99d4475b3c01d99f44e356f356337804fdf80b9f61b0c207ea20be6037e89626",
    ),
    "estimator": (
        "sklearn.linear_model",
        lambda linear: linear_model(linear),
        "mlrepro1-blake3:1a644cd9657f44c32080961c388c79aadb2e9fbc7e037fe0ddcd9140ec931a49",
    ),
    "pipeline": (
        "sklearn.pipeline",
        lambda pipeline: steps(pipeline),
        "mlrepro1-blake3:37dfc105aecbc98672251d158d3149e94064bdd03ddd42bfc80c36c81262220b",
    ),
    "columns": (
        "sklearn.compose",
        lambda compose: columns(compose),
        "mlrepro1-blake3:745709b4acfc71cbd83d58c2a96520f248bb178a96183f86409ef7c9268fd545",
    ),
    "texts": (
        "pandas",
        lambda pd: pd.Series(["a", None, "é"], dtype="string"),
        "mlrepro1-blake3:a3f13f4fd2bfbafa17b9e0e6bbaeacfe8209383227ce41a02d3fd359c9fffe69",
    ),
    "polars texts": (
        "polars",
        lambda pl: pl.Series("t", ["a", None, "é"]),
        "mlrepro1-blake3:72aa627a1934ffb1b5fa8b67af1124fe25256545be2c8f7883020843e1af3756",
    ),
    "arrow bytes": (
        "pyarrow",
        lambda pa: pa.array([b"a", None, b"bc"]),
        "mlrepro1-blake3:b9b7cf4ca21a6183fb00fc989172bf3889779f0447ffe3860ebb65051b833d62",
    ),
    "distribution": (
        "scipy.stats",
        lambda stats: stats.loguniform(0.1, 10),
        "mlrepro1-blake3:793e9ba64b76cd39819c50a4dabd4d8d03c887e1bca0e5e1bfd6a80528a4eb92",
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


@pytest.mark.parametrize("name", CORE)
def test_second_implementation(name):
    make, expected = CORE[name]
    assert second_fingerprint.digest(make()) == expected


@pytest.mark.parametrize("name", ["frame", "series", "multi-index", "texts"])
def test_second_implementation_of_tables(name):
    library, make, expected = LIBRARIES[name]
    assert second_fingerprint.digest(make(pytest.importorskip(library))) == expected


def u64(number):
    return struct.pack("<Q", number)


def lp(data):
    return bytes([len(data)]) + data if len(data) < 255 else b"\xff" + u64(len(data)) + data


def digest(*encoded):
    return "mlrepro1-blake3:" + blake3(b"mlrepro1" + b"".join(encoded)).hexdigest()


def test_document_by_hand():
    """The encoding, followed on paper from docs/fingerprint-format.md, without the code under test."""
    one = b"S" + lp(b"int") + lp(b"\1" + b"\0" * 7)
    key = b"S" + lp(b"int") + lp(b"\x80" + b"\0" * 7)
    data = np.array([1.5, 2.5]).astype("<f8").tobytes()
    floats = b"A" + lp(b"list") + lp(b"float64") + b"\1\2" + b"\0" + b"\1" + lp(data)
    texts = b"A" + lp(b"tuple") + lp(b"str") + b"\1\2" + b"\0" + b"\1"
    texts += lp(b"\4" + struct.pack("<2I", 2, 2) + "é".encode() + b"ab")
    children = [
        b"n=" + lp(key) + b"=" + lp(one),
        b"s" + lp(b"a") + b"=" + lp(floats),
        b"s" + lp(b"b") + b"=" + lp(texts),
    ]
    found = fingerprint({"b": ("é", "ab"), "a": [1.5, 2.5], 128: 1})
    assert found.digest == digest(b"G", lp(b"dict"), b"\0\3", *children)
    assert [part.digest for _, part in found.parts] == [digest(one), digest(floats), digest(texts)]


def test_document_by_hand_of_pieces_and_nulls():
    big = np.arange(524_289, dtype="<f8")
    pieces = blake3(big[:524_288].tobytes()).digest() + blake3(big[524_288:].tobytes()).digest()
    header = b"A" + lp(b"numpy.ndarray") + lp(b"float64") + b"\1\xff" + u64(524_289) + b"\0"
    whole = digest(header, b"\2", pieces)
    assert fingerprint(big).digest == whole
    raw = bytes.fromhex(whole.removeprefix("mlrepro1-blake3:"))
    assert fingerprint([big]).digest == digest(b"G", lp(b"list"), b"\0\1", b"i", u64(0), b"#", raw)
    masked = digest(
        b"A", lp(b"numpy.MaskedArray"), lp(b"int16"), b"\1\2", b"\1", b"\1", lp(b"\5\0\0\0"), b"\1", lp(b"\1\0")
    )  # fmt: skip
    assert fingerprint(np.ma.masked_array([5, 7], [0, 1], "i2")).digest == masked
