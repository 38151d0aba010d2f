"""The files of a trace: what was written is read, in bounded memory, also when the process was ended while it wrote."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.determinism.trace.reading import Trace, differing
from pytest_mlrepro.determinism.trace.stream import Kind, Place, Stream, Table
from pytest_mlrepro.determinism.trace.threads import Streams

EVENTS = st.lists(
    st.tuples(st.sampled_from([Kind.VALUE, Kind.LOCAL]), st.sampled_from("abcd"), st.integers(1, 3), st.integers(0, 5)),
    max_size=30,
)


def write(file: Path, events, block: int = 8) -> Trace:
    table = Table(file.with_name(f"{file.name}.names"))
    stream = Stream(file, table, block=block)
    for kind, name, line, digest in events:
        stream.event(kind, name, Place("f.py", line, "f"), digest)
    assert len(stream) == len(events)
    stream.close()
    table.close()
    return Trace.load(file)


@given(events=EVENTS)
def test_what_was_written_is_read(events, tmp_path_factory: pytest.TempPathFactory) -> None:
    trace = write(tmp_path_factory.mktemp("t") / "one", events)
    read = [trace.event("", number) for number in range(len(trace.streams[""]))]
    assert [(event.kind, event.name, event.place.line, event.digest) for event in read] == events


@given(first=EVENTS, second=EVENTS)
def test_differences_are_those_of_a_plain_comparison(first, second, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("t")
    found = list(differing(write(folder / "one", first), write(folder / "two", second), ""))
    expected = []
    for number, (one, two) in enumerate(zip(first, second, strict=False)):
        if one[:3] != two[:3]:
            expected.append((number, False))
            break
        if one[3] != two[3]:
            expected.append((number, True))
    else:
        if len(first) != len(second):
            expected.append((min(len(first), len(second)), False))
    assert [tuple(pair) for pair in found] == expected


def test_a_trace_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    events = [(Kind.LOCAL, name, 1, number) for number, name in enumerate("abc")]
    write(tmp_path / "one", events)
    with (tmp_path / "one").open("r+b") as file:
        file.truncate(40)
    names = (tmp_path / "one.names").read_text("utf-8")
    (tmp_path / "one.names").write_text(names[:-3], "utf-8")
    trace = Trace.load(tmp_path / "one")
    assert [trace.event("", number).name for number in range(len(trace.streams[""]))] == ["a", "b"]


def test_each_thread_has_a_stream_of_its_own(tmp_path: Path) -> None:
    streams = Streams(tmp_path / "one")
    streams.open()
    streams.current().event(Kind.LOCAL, "here", Place("f.py", 1, "f"), 1)
    thread = threading.Thread(target=lambda: streams.current().event(Kind.LOCAL, "there", Place("f.py", 2, "f"), 2))
    thread.start()
    thread.join()
    streams.close()
    streams.close()
    trace = Trace.load(tmp_path / "one")
    assert trace.event("", 0).name == "here"
    assert trace.event("t1", 0).name == "there"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it may run threads of other tests
def test_a_forked_process_goes_on_in_files_of_its_own(tmp_path: Path) -> None:
    from multiprocessing import get_context

    streams = Streams(tmp_path / "one")
    streams.open()
    streams.current().event(Kind.LOCAL, "before", Place("f.py", 1, "f"), 1)

    def there() -> None:
        streams.current().event(Kind.LOCAL, "there", Place("f.py", 2, "f"), 2)

    for _ in range(2):
        process = get_context("fork").Process(target=there)
        process.start()
        process.join()
        assert process.exitcode == 0
    streams.current().event(Kind.LOCAL, "after", Place("f.py", 3, "f"), 3)
    streams.close()
    trace = Trace.load(tmp_path / "one")
    assert [trace.event("", number).name for number in range(len(trace.streams[""]))] == ["before", "after"]
    for fork in ("f1", "f2"):
        assert [trace.event(fork, number).name for number in range(len(trace.streams[fork]))] == ["there"]
