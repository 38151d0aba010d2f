"""`assert_reproducible`: what parts is found under the right name, what repeats passes, and mistakes are named."""

import functools
import os
import sys

import numpy as np
import pytest

from pytest_mlrepro import Tolerance, UsageError, assert_reproducible, seed_everything

from . import repeating

CHILD = ("process", "hashseed", "malloc")


def message(fn, *args, **options):
    with pytest.raises(AssertionError) as caught:
        assert_reproducible(fn, *args, **options)
    return str(caught.value)


def test_what_repeats_passes_under_every_variation():
    found = assert_reproducible(repeating.steady, vary=("threads", "folders", *CHILD, "isa"), runs=3)
    assert (found.runs, found.spread, str(found)) == (7, {}, "the same in 7 runs")


def test_an_unseeded_draw_is_found_and_a_seed_mends_it():
    assert "the result of unseeded differs in a second run" in message(repeating.unseeded)
    assert "the result of global_draw differs" in message(repeating.global_draw)
    assert_reproducible(repeating.unseeded, seed=3)
    assert_reproducible(repeating.global_draw, seed=3)


def test_each_call_in_a_seeded_block_starts_from_its_seed():
    with seed_everything(5):
        repeating.global_draw()
        before = np.random.get_state()[1].copy()
        assert_reproducible(repeating.global_draw, runs=3, vary="process")
        assert (np.random.get_state()[1] == before).all()


def test_hash_order_is_named():
    told = message(repeating.words, 20, vary="hashseed")
    assert "in a run under another hash seed" in told
    assert "it depends on the order of sets of strings" in told
    assert_reproducible(repeating.sorted_words, 20, vary="hashseed")


def test_hash_order_is_named_although_only_a_fresh_process_was_asked_for(monkeypatch):
    if not sys.flags.hash_randomization or os.environ.get("PYTHONHASHSEED", "").isdigit():
        pytest.skip("this process has a hash seed that children can have too")
    assert "under another hash seed" in message(repeating.words, 20, vary="process")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc fills memory")
def test_memory_that_was_never_written_is_named():
    told = message(repeating.unfilled, vary=("hashseed", "malloc"))
    assert "in a run in memory that was filled with a pattern" in told
    assert "e+306" in told


def test_file_order_is_named(tmp_path):
    for name in "abc":
        (tmp_path / name).touch()
    told = message(repeating.listed, str(tmp_path), vary="folders")
    assert "with the files of folders in another order" in told
    assert_reproducible(repeating.sorted_listing, str(tmp_path), vary="folders")


def test_state_of_this_process_is_named(monkeypatch):
    monkeypatch.setitem(repeating.__dict__, "COUNT", [7])
    told = message(repeating.counts_from_import, vary=("process", "hashseed"))
    assert "in a run in a fresh process" in told
    assert "state that this process had gathered" in told


def test_state_that_a_call_leaves_is_found():
    assert "expected" in message(repeating.counting)


def test_an_argument_that_is_changed_in_place_is_named():
    told = message(repeating.add_one_in_place, np.zeros(3))
    assert "add_one_in_place changed its argument 1 in place" in told
    told = message(repeating.add_one_in_place, array=np.zeros(3))
    assert "changed its argument array in place" in told


def test_a_process_that_dies_is_told():
    if not sys.platform.startswith("linux"):
        pytest.skip("looks at a variable of glibc")
    assert "exit status 3 before crash_when_perturbed returned" in message(
        repeating.crash_when_perturbed, vary="malloc"
    )


def test_what_a_later_call_raises_is_told():
    assert "ValueError: not here" in message(repeating.raise_in_child, os.getpid(), vary="process")
    repeating.COUNT[0] = 0
    assert "it raised ValueError: every second time" in message(repeating.raises_second_time)


def test_what_the_first_call_raises_is_the_callers():
    repeating.COUNT[0] = 1
    with pytest.raises(ValueError, match="every second time"):
        assert_reproducible(repeating.raises_second_time)


def test_objects_partials_methods_and_coroutines_go_to_another_process():
    assert_reproducible(repeating.objects, vary="process")
    assert_reproducible(functools.partial(repeating.steady, n=4), vary="process")
    assert_reproducible(repeating.Model(2.0), np.ones(2), vary="process")
    assert_reproducible(repeating.later, vary="process")
    assert "under another hash seed" in message(repeating.Model(2.0).predict, [1, 2, 3], vary="hashseed")


def test_a_tolerance_allows_what_it_says():
    values = iter([1.0, 1.0 + 1e-9, 1.0 + 1e-3])
    assert_reproducible(lambda: next(values), tolerance=Tolerance(rtol=1e-6, atol=0.0))
    values = iter([1.0, 1.0 + 1e-9])
    assert "no difference at all" in message(lambda: next(values))


@pytest.mark.parametrize("fn", [repeating.nothing, repeating.empty])
def test_nothing_to_compare_is_an_error(fn):
    assert "nothing to compare" in message(fn)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runs": 0}, "runs must be a whole number, 1 or more, got 0"),
        ({"runs": True}, "runs must be"),
        ({"runs": 1}, "runs=1 without vary compares nothing"),
        ({"vary": "hashsed"}, "did you mean 'hashseed'"),
        ({"vary": 3}, "vary must be a name or several"),
        ({"vary": ("process", 3)}, "vary has no 3"),
        ({"vary": "order"}, "vary='order' is about tests"),
        ({"seed": -1}, "seed must be an integer"),
    ],
)
def test_wrong_arguments_are_named(options, words):
    with pytest.raises(UsageError, match=words):
        assert_reproducible(repeating.steady, **options)


def test_what_can_not_travel_is_named():
    def local():
        return 1.0

    with pytest.raises(UsageError, match=r"local and its arguments can't be sent to a process of their own"):
        assert_reproducible(local, vary="process")
    with pytest.raises(UsageError, match="fn must be callable, got 3"):
        assert_reproducible(3)


def test_variables_and_folders_are_put_back():
    before, listdir = dict(os.environ), os.listdir
    assert_reproducible(repeating.steady, vary=("folders", "threads", *CHILD, "isa"))
    assert dict(os.environ) == before
    assert os.listdir is listdir
