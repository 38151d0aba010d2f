"""Generators without a seed draw from the scope's stream, are refused, or are left alone."""

import contextlib
import os
import random
import secrets
import sys
import tempfile
import threading
import types
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.seeding import EntropySite, SeedScope, UnseededEntropyError

SOURCES = {
    "numpy": [
        lambda: np.random.default_rng().random(),
        lambda: np.random.SeedSequence().entropy,
        lambda: np.random.RandomState().random_sample(),
        lambda: np.random.PCG64().random_raw(),
        lambda: np.random.Philox().random_raw(),
        lambda: (np.random.seed(), np.random.random())[1],
    ],
    "random": [lambda: random.Random().random(), lambda: (random.seed(), random.random())[1]],
    "secrets": [
        lambda: secrets.token_hex(8),
        lambda: secrets.randbelow(2**60 - 1),
        lambda: secrets.choice(range(2**60 - 1)),
        lambda: random.SystemRandom().random(),
        lambda: random.SystemRandom().getrandbits(61),
    ],
    "uuid": [lambda: uuid.uuid4()],
    "urandom": [lambda: os.urandom(8)] + ([lambda: os.getrandom(8)] if hasattr(os, "getrandom") else []),
}
ALL = [(kind, source) for kind, sources in SOURCES.items() for source in sources]


@pytest.mark.parametrize(("kind", "source"), ALL)
def test_seeded(kind, source):
    with SeedScope(1):
        first = [source(), source()]
    with SeedScope(1) as scope:
        assert [source(), source()] == first
    with SeedScope(2):
        assert source() != first[0]
    assert first[0] != first[1]
    assert [(site.kind, site.file, site.count) for site in scope.sites] == [(kind, __file__, 2)]
    assert scope.violations == []


@pytest.mark.parametrize(("kind", "source"), ALL)
def test_forbidden(kind, source):
    with SeedScope(1, entropy="forbid") as scope:
        with pytest.raises(
            UnseededEntropyError, match=r"is forbidden in this test and was drawn at .*test_seeding_entropy\.py:"
        ) as caught:
            source()
        assert isinstance(caught.value, AssertionError)
    assert [site.kind for site in scope.violations] == [kind]
    assert scope.violations[0].file == __file__
    assert f":{scope.violations[0].line}" in str(caught.value)


@pytest.mark.parametrize(("kind", "source"), ALL)
def test_allowed(kind, source):
    with SeedScope(1, entropy="allow") as scope:
        first = source()
    with SeedScope(1, entropy="allow"):
        assert source() != first
    assert scope.sites == scope.violations == []


def test_allow_inside_seed_draws_real_entropy():
    values = []
    for _ in range(2):
        with SeedScope(1), SeedScope(1, entropy="allow"):
            values.append(os.urandom(8))
    assert values[0] != values[1]


def test_seeds_that_are_given_pass_untouched():
    with SeedScope(1, entropy="forbid") as scope:
        assert random.Random(5).random() == 0.6229016948897019
        assert np.random.default_rng(5).random() == 0.8050029237453802
        random.seed(5)
        random.seed("text", version=1)
        random.seed(a=5)
        with pytest.raises(TypeError):
            random.seed([])
    assert scope.violations == []


@given(size=st.integers(0, 5000))
def test_any_number_of_bytes(size):
    with SeedScope(1):
        assert len(os.urandom(size)) == size


def test_wrong_arguments_raise_as_ever():
    with SeedScope(1):
        with pytest.raises(ValueError, match="negative"):
            os.urandom(-1)
        with pytest.raises(TypeError):
            os.urandom("8")


def test_bits_are_within_range():
    with SeedScope(1):
        from numpy.random import bit_generator

        for k in (1, 7, 8, 9, 31, 32, 64, 127, 128, 129):
            values = [bit_generator.randbits(k) for _ in range(50)]
            assert all(0 <= value < 2**k for value in values)
            assert k < 7 or max(values) > 2**k / 2


def test_uuids_are_valid_version_4():
    with SeedScope(1):
        assert uuid.uuid4().version == 4


def test_infrastructure_keeps_real_entropy():
    names = []
    for _ in range(2):
        with SeedScope(1, entropy="forbid") as scope:
            names.append(next(tempfile._RandomNameSequence()))
            with tempfile.TemporaryDirectory() as folder:
                names.append(folder)
        assert scope.sites == []
    assert len(set(names)) == 4


def library(code, name="somelib", file="/x/site-packages/somelib.py"):
    module = types.ModuleType(name)
    exec(compile(code, file, "exec"), module.__dict__)
    return module


def test_draw_inside_a_library_is_booked_on_the_line_that_called_it():
    module = library("import numpy as np\ndef draw(): return np.random.default_rng().random()")
    with SeedScope(1) as scope:
        first = module.draw()
        line = sys._getframe().f_lineno - 1
    assert scope.sites == [EntropySite("numpy", __file__, line, 1)]
    with SeedScope(1):
        assert module.draw() == first
    with SeedScope(1, entropy="forbid"), pytest.raises(UnseededEntropyError, match=os.path.basename(__file__)):
        module.draw()


def test_generator_made_while_a_library_is_imported_is_not_the_importing_lines_fault(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "made_at_import.py").write_text("import random\ngenerator = random.Random()\n")
    monkeypatch.syspath_prepend(str(folder))
    with SeedScope(1, entropy="forbid") as scope:
        import made_at_import

        value = made_at_import.generator.random()
    del sys.modules["made_at_import"]
    assert scope.violations == []
    with SeedScope(1):
        import made_at_import

        assert made_at_import.generator.random() == value


def test_comment_above_does_not_change_what_is_drawn():
    one = library("import os\ndef f(): return os.urandom(8)", file="/home/a/t.py")
    two = library("# a comment\n\nimport os\ndef f(): return os.urandom(8)", file="/home/b/t.py")
    with SeedScope(1):
        first = one.f()
    with SeedScope(1):
        assert two.f() == first


def test_draw_elsewhere_does_not_change_what_is_drawn():
    def here():
        return os.urandom(8)

    with SeedScope(1):
        first = here()
    with SeedScope(1):
        uuid.uuid4()
        np.random.default_rng()
        assert here() == first


def test_dataclass_default_factory_is_booked_on_the_user():
    from dataclasses import dataclass, field

    @dataclass
    class Thing:
        key: uuid.UUID = field(default_factory=uuid.uuid4)

    with SeedScope(1) as scope:
        first = Thing()
    with SeedScope(1):
        assert Thing() == first
    assert [site.file for site in scope.sites] == [__file__]


def test_swallowed_refusal_stays_on_record():
    with SeedScope(1, entropy="forbid") as scope:
        with contextlib.suppress(AssertionError):
            uuid.uuid4()
        scope.reseed("teardown")
    assert len(scope.violations) == 1


def test_site_reads_well():
    assert str(EntropySite("numpy", "a.py", 3, 1)) == "a.py:3: unseeded numpy"
    assert str(EntropySite("numpy", "a.py", 3, 2)) == "a.py:3: unseeded numpy (2 times)"


# threads


def in_threads(count, draws):
    values = {}

    def work(i):
        values[i] = [os.urandom(8) for _ in range(draws)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return values


@pytest.fixture
def racing():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("racing")
def test_threads_draw_the_same_in_any_schedule_and_never_the_same_value():
    results = []
    for _ in range(3):
        with SeedScope(1):
            results.append(in_threads(6, 200))
    assert results[0] == results[1] == results[2]
    values = [value for drawn in results[0].values() for value in drawn]
    assert len(set(values)) == len(values)


@pytest.mark.usefixtures("racing")
def test_pool_tasks_draw_the_same_whichever_worker_takes_them():
    def task(i):
        return [os.urandom(8) for _ in range(50)], np.random.default_rng().random()

    results = []
    for workers in (1, 3, 5):
        with SeedScope(1), ThreadPoolExecutor(workers) as pool:
            results.append(list(pool.map(task, range(12))))
    assert results[0] == results[1] == results[2]
    assert len({value for bytes_, _ in results[0] for value in bytes_}) == 600


def test_function_given_to_a_pool_directly_is_seeded():
    results = []
    for _ in range(2):
        with SeedScope(1), ThreadPoolExecutor(2) as pool:
            results.append([f.result() for f in [pool.submit(os.urandom, 8), pool.submit(uuid.uuid4)]])
    assert results[0] == results[1]


def test_threads_started_by_threads():
    def parent(out):
        child = threading.Thread(target=lambda: out.append(os.urandom(8)))
        child.start()
        child.join()
        out.append(os.urandom(8))

    results = []
    for _ in range(2):
        with SeedScope(1):
            outs = [[], []]
            threads = [threading.Thread(target=parent, args=(out,)) for out in outs]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        results.append(outs)
    assert results[0] == results[1]
    assert len({value for out in outs for value in out}) == 4


@pytest.mark.usefixtures("racing")
def test_older_threads_with_one_name_share_a_sequence_without_repeats():
    go, values = threading.Event(), []

    def work():
        go.wait()
        values.extend(os.urandom(8) for _ in range(300))

    threads = [threading.Thread(target=work, name="old") for _ in range(3)]
    [thread.start() for thread in threads]
    results = []
    with SeedScope(1):
        go.set()
        [thread.join() for thread in threads]
    results.append(set(values))
    assert len(results[0]) == 900


def test_exit_while_a_thread_draws():
    stop, failed = threading.Event(), []

    def work():
        try:
            while not stop.is_set():
                os.urandom(4), np.random.default_rng(), np.random.random(), random.random(), random.Random()
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is to be shown
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    for seed in range(300):
        with SeedScope(seed) as scope:
            scope.reseed("call")
    stop.set()
    thread.join()
    assert failed == []


@pytest.mark.usefixtures("racing")
def test_counts_of_sites_are_exact_under_threads():
    with SeedScope(1) as scope:
        in_threads(4, 500)
    assert [site.count for site in scope.sites] == [2000]
