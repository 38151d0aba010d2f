"""Each source is found, and named with its line and its cause; the same work done otherwise passes."""

import re

import frameworks
import plain
import pytest

from pytest_mlrepro import assert_reproducible

CASES = [
    # broken, fixed, under what it shows, and what the failure must say
    (
        "noisy_weights",
        "seeded_weights",
        (),
        r"numpy.random.default_rng at \S+.py:\d+ made a generator that was not seeded",
    ),
    ("run_name", "fixed_run_name", (), r"uuid.uuid4 at \S+.py:\d+ drew entropy from the system"),
    ("clock_seed", "clock_only_logged", (), r"time.time_ns at \S+.py:\d+ read the clock"),
    ("vocabulary", "sorted_vocabulary", "hashseed", r"vocabulary at \S+.py:\d+ depends on PYTHONHASHSEED"),
    ("hashing_trick", "stable_hashing_trick", "hashseed", r"hash at \S+.py:\d+ depends on PYTHONHASHSEED"),
    (
        "read_shards",
        "read_sorted_shards",
        "folders",
        r"os.listdir at \S+.py:\d+ depends on the order of a folder",
    ),
    ("padded", "padded_whole", "malloc", r"numpy.empty at \S+.py:\d+ .* never written to"),
    (
        "sum_as_completed",
        "sum_as_submitted",
        (),
        r"as_completed at \S+.py:\d+ .* the order in which threads finish",
    ),
    ("unseeded_forest", "seeded_forest", (), r"RandomForestRegressor.fit at \S+.py:\d+ drew from .* not seeded"),
    ("unseeded_dropout", "seeded_dropout", (), r"aten::dropout at \S+.py:\d+ drew from .* not seeded"),
    (
        "noisy_workers",
        "quiet_workers",
        (),
        r"numpy.random.default_rng at \S+.py:\d+ made a generator that was not",
    ),
    (
        "shared_sums",
        "ordered_sums",
        (),
        r"aten::index_put_ at \S+.py:\d+ adds in the order in which threads finish",
    ),
]


@pytest.mark.parametrize(("broken", "fixed", "vary", "words"), CASES, ids=[case[0] for case in CASES])
def test_source_is_named_and_its_twin_repeats(broken, fixed, vary, words):
    sources = plain if hasattr(plain, broken) else frameworks
    with pytest.raises(AssertionError) as caught:
        assert_reproducible(getattr(sources, broken), runs=20, vary=vary)
    message = " ".join(str(caught.value).split())
    assert re.search(words, message), caught.value
    assert_reproducible(getattr(sources, fixed), vary=vary)


@pytest.mark.repro(reruns=2, vary=("threads", "folders", "hashseed", "malloc"))
def test_marker_asks_the_same_of_a_test(repro):
    repro.checkpoint("weights", plain.seeded_weights())
    repro.checkpoint("shards", plain.read_sorted_shards())
