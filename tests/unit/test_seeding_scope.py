"""A scope seeds everything inside and leaves everything outside as it was."""

import os
import random
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.seeding import SeedScope, seed_everything
from pytest_mlrepro.seeding.rngs import seeders
from pytest_mlrepro.seeding.stack import OPEN


def numpy_state():
    name, key, position, has_gauss, gauss = np.random.get_state()
    return name, key.tobytes(), position, has_gauss, gauss


def states():
    return random.getstate(), numpy_state(), os.urandom, random.seed, random.Random.seed, threading.Thread.start


def draws():
    return [
        random.random(),
        random.gauss(0, 1),
        np.random.random(),
        np.random.normal(),
        np.random.default_rng().random(),
        np.random.RandomState().random_sample(),
        random.Random().random(),
        os.urandom(8),
    ]


def run(code, *flags):
    done = subprocess.run(
        [sys.executable, "-W", "error", *flags, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_same_seed_same_draws():
    with SeedScope(3):
        first = draws()
    with SeedScope(3):
        assert draws() == first


def test_other_seed_other_draws():
    with SeedScope(3):
        first = draws()
    with SeedScope(4):
        assert not set(draws()) & set(first)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_global_generators_are_seeded_as_by_hand(seed):
    with SeedScope(seed):
        ours = random.random(), np.random.random()
    assert ours[0] == random.Random(seed).random()
    assert ours[1] == np.random.RandomState(seed).random_sample()


def test_seeds_beyond_32_bits_differ_from_their_remainder():
    with SeedScope(2**32 + 5):
        large = np.random.random()
    with SeedScope(5):
        assert np.random.random() != large


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "0", None, True])
def test_seed_that_is_no_seed_is_refused(seed):
    with pytest.raises(UsageError, match="seed must be an integer"):
        SeedScope(seed)
    assert not OPEN


def test_numpy_integer_is_a_seed():
    with SeedScope(np.int64(7)):
        a = random.random()
    assert a == random.Random(7).random()


def test_unknown_mode_is_refused():
    with pytest.raises(UsageError, match="entropy must be"):
        SeedScope(0, entropy="sed")


@given(
    seed=st.integers(0, 2**64 - 1),
    before=st.lists(st.sampled_from("rgun")),
    inside=st.lists(st.sampled_from("rgunsx")),
)
@settings(deadline=None)
def test_states_are_put_back_whatever_is_drawn(seed, before, inside):
    calls = {
        "r": random.random,
        "g": lambda: random.gauss(0, 1),
        "u": np.random.random,
        "n": np.random.normal,
        "s": lambda: np.random.seed(3),
        "x": lambda: np.random.set_bit_generator(np.random.PCG64(1)),
    }
    for call in before:
        calls[call]()
    expected = states()
    with SeedScope(seed):
        for call in inside:
            calls[call]()
    assert states() == expected


@pytest.mark.parametrize("normals", [0, 1, 2])
def test_cached_gaussians_are_put_back(normals):
    random.seed(1)
    np.random.seed(1)
    for _ in range(normals):
        random.gauss(0, 1)
        np.random.normal()
    expected = states()
    assert expected[1][3] == normals % 2  # the case is really there
    scope = SeedScope(0).enter()
    np.random.normal()
    random.gauss(0, 1)
    scope.exit()
    assert states() == expected


def test_other_bit_generator_is_put_back():
    original = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(5))
        np.random.normal()
        before = np.random.get_state(legacy=False)
        with SeedScope(0):
            first = np.random.random()
        assert np.random.get_state(legacy=False) == before
        with SeedScope(0):
            assert np.random.random() == first
    finally:
        np.random.set_bit_generator(original)


def test_generator_swapped_inside_is_swapped_back():
    original = np.random.get_bit_generator()
    before = numpy_state()
    with SeedScope(0) as scope:
        np.random.set_bit_generator(np.random.PCG64(5))
        scope.reseed("call")
        a = np.random.random()
        scope.reseed("call")
        assert np.random.random() == a
    assert np.random.get_bit_generator() is original
    assert numpy_state() == before


def test_exception_inside_puts_everything_back():
    expected = states()
    with pytest.raises(ZeroDivisionError), SeedScope(0):
        1 / len(draws()[:0])
    assert states() == expected


def test_reseed_repeats_generators_but_not_the_stream():
    with SeedScope(0) as scope:
        scope.reseed("setup")
        a = random.random(), np.random.random(), os.urandom(8)
        scope.reseed("call")
        b = random.random(), np.random.random(), os.urandom(8)
        scope.reseed("setup")
        c = random.random(), np.random.random(), os.urandom(8)
    assert a[:2] == b[:2]
    assert a[2] != b[2]
    assert a == c


def test_external_reseeding_between_phases_does_no_harm():
    expected = states()
    with SeedScope(0) as scope:
        random.seed(99)
        np.random.seed(99)
        scope.reseed("call")
        assert random.random() == random.Random(0).random()
    assert states() == expected


def test_nested_scopes_go_on_where_they_were():
    with SeedScope(0):
        plain = [draws(), draws()]
    with SeedScope(0):
        first = draws()
        with SeedScope(1):
            draws()
        assert [first, draws()] == plain


def test_closing_an_outer_scope_closes_the_inner_one():
    expected = states()
    outer = SeedScope(0).enter()
    inner = SeedScope(1).enter()
    outer.exit()
    assert not inner.is_open
    inner.exit()
    assert states() == expected


def test_exit_twice_and_without_enter():
    expected = states()
    scope = SeedScope(0)
    scope.exit()
    scope.enter()
    scope.exit()
    random.random()
    scope.exit()
    assert states()[1:] == expected[1:]


def test_enter_twice_is_a_mistake_and_changes_nothing():
    with SeedScope(0) as scope:
        a = random.getstate()
        with pytest.raises(UsageError, match="open already"):
            scope.enter()
        assert random.getstate() == a
        assert scope.is_open


def test_reseed_of_a_closed_scope_is_a_mistake():
    with pytest.raises(UsageError, match="not open"):
        SeedScope(0).reseed("call")


def test_scope_can_be_entered_again():
    scope = SeedScope(0)
    with scope:
        a = draws()
        assert scope.sites
    with scope:
        assert scope.sites == []
        assert draws() == a


class FakePoint:
    name, value = "odd", "odd.module:seed"

    def __init__(self, load):
        self.load = load


@pytest.fixture
def entry_points(monkeypatch):
    points = []
    monkeypatch.setattr("importlib.metadata.entry_points", lambda *, group: points if "random_seeder" in group else [])
    seeders.cache_clear()
    yield points
    seeders.cache_clear()


def test_registered_seeders_are_called_in_each_phase_and_loaded_once(entry_points):
    seen, loads = [], []
    entry_points.append(FakePoint(lambda: loads.append(1) or seen.append))
    with SeedScope(2**32 + 7) as scope:
        scope.reseed("call")
    with SeedScope(1):
        pass
    assert seen == [7, 7, 1]
    assert loads == [1]


def test_failing_seeder_is_named_and_nothing_stays_changed(entry_points):
    def bad(seed):
        raise ValueError("no")

    entry_points.append(FakePoint(lambda: bad))
    expected = states()
    with pytest.raises(UsageError, match=r"'odd' \(odd.module:seed\) failed for seed 5"):
        SeedScope(5).enter()
    assert states() == expected
    assert not OPEN


def test_seeder_that_cannot_be_loaded_is_named(entry_points):
    entry_points.append(FakePoint(lambda: 1 / 0))
    with pytest.raises(UsageError, match=r"'odd' \(odd.module:seed\) can't be loaded"):
        SeedScope(5).enter()
    assert not OPEN


def test_monkeypatched_source_is_left_alone(monkeypatch):
    monkeypatch.setattr(os, "urandom", lambda n: b"x" * n)
    with SeedScope(0):
        assert os.urandom(3) == b"xxx"
    assert os.urandom(3) == b"xxx"


def test_source_patched_inside_and_left_is_put_back():
    real = os.urandom
    with SeedScope(0):
        os.urandom = lambda n: b"x" * n
    assert os.urandom is real


def test_stand_in_kept_by_a_module_draws_real_entropy_later():
    with SeedScope(0):
        kept = os.urandom
        inside = kept(16)
    assert kept(16) != kept(16)
    with SeedScope(0):
        kept(16)
    assert inside


def test_works_where_random_memory_is_unknown(monkeypatch):
    monkeypatch.setattr("pytest_mlrepro.seeding.twister._memory", lambda generator: None)
    from pytest_mlrepro.seeding import rngs

    rngs._seeded.cache_clear()
    random.seed(1)
    random.gauss(0, 1)
    before = random.getstate()
    with SeedScope(7):
        assert random.random() == random.Random(7).random()
    assert random.getstate() == before
    rngs._seeded.cache_clear()


def test_chdir_inside_does_no_harm(tmp_path, monkeypatch):
    expected = states()
    with SeedScope(0):
        monkeypatch.chdir(tmp_path)
    assert states() == expected


# seed_everything


def test_with_block():
    expected = states()
    with seed_everything(3) as scope:
        a = draws()
    assert scope.sites
    assert states() == expected
    with seed_everything(3):
        assert draws() == a


def test_plain_call_seeds_until_closed():
    expected = states()
    seeded = seed_everything(3)
    assert random.random() == random.Random(3).random()
    seeded.close()
    assert states() == expected


def test_plain_call_inside_a_scope_ends_with_it():
    expected = states()
    with SeedScope(0):
        seed_everything(3)
        assert random.random() == random.Random(3).random()
    assert states() == expected
    assert not OPEN


def test_decorator_seeds_each_call():
    expected = states()

    @seed_everything(3)
    def f(x, *, y=1):
        """Docs."""
        return x, y, random.random(), os.urandom(4)

    assert states() == expected
    assert f(1, y=2) == f(1, y=2)
    assert f.__doc__ == "Docs."
    assert states() == expected


def test_decorator_on_coroutine_function():
    import asyncio

    @seed_everything(3)
    async def f():
        await asyncio.sleep(0)
        return random.random()

    assert asyncio.run(f()) == random.Random(3).random()


@pytest.mark.parametrize("target", [type("C", (), {}), 3])
def test_decorating_what_cannot_be_seeded(target):
    with pytest.raises(UsageError, match="decorates functions"):
        seed_everything(3)(target)
    assert not OPEN


def test_decorating_a_generator_function():
    with pytest.raises(UsageError, match="decorates functions"):

        @seed_everything(3)
        def f():
            yield 1

    assert not OPEN


def test_same_object_twice():
    seeded = seed_everything(3)
    with seeded:
        a = random.random()
    with seeded:
        assert random.random() == a
    assert not OPEN


# libraries that are not loaded, or are loaded later


def test_scope_imports_nothing_heavy():
    out = run(
        "from pytest_mlrepro.seeding import SeedScope, seed_everything\n"
        "with SeedScope(0): pass\n"
        "import sys\n"
        "heavy = 'numpy', 'torch', 'pytest', 'hypothesis', 'polars', 'multiprocessing'\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert out.strip() == "[]"


def test_numpy_imported_inside_is_seeded():
    out = run(
        "import sys\n"
        "from pytest_mlrepro.seeding import SeedScope\n"
        "path = list(sys.meta_path)\n"
        "with SeedScope(5):\n"
        "    import numpy as np\n"
        "    import numpy.random\n"
        "    print(np.random.random(), np.random.default_rng().random())\n"
        "    assert type(np.random.__spec__.loader).__name__ == type(np.__loader__).__name__ == 'SourceFileLoader'\n"
        "assert sys.meta_path == path\n"
        "with SeedScope(5): print(np.random.random())\n"
        "print(np.random.random(), np.random.default_rng().random())\n"
    )
    inside, again, after = out.splitlines()
    with SeedScope(5):
        expected = np.random.random()
    assert inside.split()[0] == again == str(expected)
    assert after.split()[0] != str(expected)
    assert (
        inside
        == run(
            "from pytest_mlrepro.seeding import SeedScope\n"
            "with SeedScope(5):\n"
            "    import numpy as np\n"
            "    print(np.random.random(), np.random.default_rng().random())\n"
        ).strip()
    )


def test_numpy_imported_inside_is_fresh_afterwards():
    code = (
        "from pytest_mlrepro.seeding import SeedScope\n"
        "with SeedScope(5):\n"
        "    with SeedScope(6):\n"
        "        import numpy as np, numpy.random\n"
        "        a = np.random.random()\n"
        "    b = np.random.random()\n"
        "print(a, b, np.random.random())"
    )
    first, second = run(code).split(), run(code).split()
    assert first[:2] == second[:2]
    assert first[0] != first[1]
    assert first[2] != second[2]


def test_import_of_another_library_does_not_reseed():
    out = run(
        "import random, numpy as np, numpy.random\n"
        "from pytest_mlrepro.seeding import SeedScope\n"
        "with SeedScope(5):\n"
        "    a = np.random.random()\n"
        "    import concurrent.futures.process, multiprocessing.process\n"
        "    print(a != np.random.random())\n"
    )
    assert out.strip() == "True"


def test_polars_is_seeded():
    polars = pytest.importorskip("polars")

    def shuffled():
        return polars.Series(range(50)).shuffle().to_list()

    with SeedScope(1):
        first = shuffled()
    outside = shuffled()
    with SeedScope(1):
        assert shuffled() == first
    assert outside != first
