"""The digest of an environment written down, and the encoding followed on paper from docs/fingerprint-format.md."""

import struct

import pytest
from blake3 import blake3

from pytest_mlrepro.fingerprints.environment import environment_of
from pytest_mlrepro.fingerprints.environment.facts import Fact
from pytest_mlrepro.fingerprints.environment.interpreter import interpreter_facts
from pytest_mlrepro.fingerprints.environment.variables import variable_facts

PREFIX = "mlrepro1-blake3:"
FACTS = [
    Fact("variable OMP_NUM_THREADS", "2", value="=2"),
    Fact("Python", "CPython 3.11.7"),
    Fact("CPU", "Größe\ud800"),
    Fact("host", "#01234567", numeric=False),
]
WHOLE = "94438e73b1d41c54e747e3fcbc87e39b4b701e05060b9652c6585c4b836c0d9e"
PARTS = {
    "CPU": "2395954da699e6d5f2632ab30b4493c8f5f7e0c16226e2d6be9b3c56aed20188",
    "Python": "5490931a51a7fc2dafab206558dffb92697306f2a1a3be88c5902010546928a9",
    "host": "f10efd9a004bd6e9a90ceac255d582f03be3c1679b302a65ac0e341444df2dbc",
    "variable OMP_NUM_THREADS": "5ac645fbaeae95576dd53af9a8e429e20aee0e04fc4a8b6855fd13c7e71a7807",
}


def text(value):
    data = value.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    return blake3(b"mlrepro1S" + text(kind) + text(value)).digest()


def on_paper(numeric):
    encoded = b"mlrepro1G" + text("environment") + struct.pack("<Q", 0) + struct.pack("<Q", len(numeric))
    for name in sorted(numeric):
        encoded += b"s" + text(name) + scalar("environment.numeric", numeric[name])
    return PREFIX + blake3(encoded).hexdigest()


def test_the_digest_is_the_one_that_was_written_down():
    whole = environment_of(FACTS)
    assert whole.digest == PREFIX + WHOLE
    assert {name: part.digest.removeprefix(PREFIX) for name, part in whole.parts} == PARTS


def test_the_encoding_is_as_it_is_specified():
    whole = environment_of(FACTS)
    numeric = {fact.name: fact.text if fact.value is None else fact.value for fact in FACTS if fact.numeric}
    assert whole.digest == on_paper(numeric)
    assert dict(whole.parts)["host"].digest == PREFIX + scalar("environment.other", "#01234567").hex()
    assert dict(whole.parts)["CPU"].digest == PREFIX + scalar("environment.numeric", "Größe\ud800").hex()


@pytest.mark.parametrize(("zone", "offsets"), [("UTC", "0:0"), ("Asia/Kolkata", "0:19800"), ("Etc/GMT-3", "0:10800")])
def test_a_time_zone_counts_by_its_offsets(zone, offsets, monkeypatch):
    import time

    if not hasattr(time, "tzset"):
        pytest.skip("this system can't change its zone")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        (found,) = [fact.value for fact in interpreter_facts() if fact.name == "time zone"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == offsets


def test_a_variable_counts_by_its_value(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("LD_PRELOAD", "/home/anna/a.so:/b.so")
    values = {fact.name: fact.value for fact in variable_facts()}
    assert (values["variable OMP_NUM_THREADS"], values["variable LD_PRELOAD"]) == ("=2", "=a.so:b.so")
