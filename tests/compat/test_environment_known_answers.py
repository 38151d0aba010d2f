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
WHOLE = "d3c79f21f226919ffedebe459ba9fc6eb0ec4fb2b49ae2f6a50c6e654d7d4a1a"
PARTS = {
    "CPU": "aafc427cf07918c23ddaa111a6dafa01904d718dc01d84817527103099a19d5d",
    "Python": "65d10670ce9308715f707fcc152dd37d0d9c3296e2384919c8076d21525b4eb3",
    "host": "b78f1fc5b4a0e8599433cf30049bfbd24ee72aa48a67f2dd64690ed4cb7da80f",
    "variable OMP_NUM_THREADS": "87a946c90031fb72cafbd3b84b628511fc9e0df3dbc93071a7af8af36eb30865",
}


def size(number):
    return bytes([number]) if number < 255 else b"\xff" + struct.pack("<Q", number)


def word(value):
    data = value.encode("utf-8", "surrogatepass")
    return size(len(data)) + data


def scalar(kind, value):
    return blake3(b"mlrepro1S" + word(kind) + word(value)).digest()


def on_paper(numeric):
    encoded = b"mlrepro1G" + word("environment") + size(0) + size(len(numeric))
    for name in sorted(numeric):
        encoded += b"s" + word(name) + b"#" + scalar("environment.numeric", numeric[name])
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
