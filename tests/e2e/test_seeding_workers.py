"""Child processes and DataLoader workers draw from seeds derived from the scope's, in every way to start them."""

import concurrent.futures
import multiprocessing
import os
import pickle
import threading

import numpy as np
import pytest

from pytest_mlrepro.seeding import SeedScope

from .seeding_helpers import Points, draws, draws_with_torch, put

METHODS = multiprocessing.get_all_start_methods()

pytestmark = [
    # Python 3.12+ warns of every fork in a process that has threads; torch has some.
    pytest.mark.filterwarnings("ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning"),
]


def in_processes(method, count=3, depth=0):
    context = multiprocessing.get_context(method)
    found = []
    for _ in range(count):
        queue = context.SimpleQueue()
        process = context.Process(target=put, args=(queue, depth))
        process.start()
        found += [queue.get() for _ in range(depth + 1)]
        process.join()
        assert process.exitcode == 0
    return found


@pytest.mark.parametrize("method", METHODS)
def test_processes_repeat_and_differ_from_each_other(method):
    with SeedScope(1) as scope:
        first, own = in_processes(method), draws()
    with SeedScope(1):
        assert in_processes(method) == first
    for column in zip(*first, own, strict=True):
        assert len(set(column)) == 4
    assert scope.stream.settings.path == ""


def test_start_methods_agree():
    results = []
    for method in METHODS:
        with SeedScope(1):
            results.append(in_processes(method, 1))
    assert all(result == results[0] for result in results)


def test_children_of_children():
    with SeedScope(1):
        first = in_processes("spawn", 1, depth=2)
    with SeedScope(1):
        assert in_processes("spawn", 1, depth=2) == first
    assert all(len(set(column)) == 3 for column in zip(*first, strict=True))


def test_bare_fork():
    def child():
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, repr(draws()).encode())
            os._exit(0)
        os.wait()
        return os.read(reading, 4096)

    with SeedScope(1):
        first = [child(), child()]
    with SeedScope(1):
        assert [child(), child()] == first
    assert first[0] != first[1]
    assert child() != child()


def test_fork_while_a_thread_draws_does_not_hang():
    stop = threading.Event()

    def work():
        while not stop.is_set():
            np.random.random(300_000)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with SeedScope(1):
            for _ in range(30):
                process = multiprocessing.get_context("fork").Process(target=draws)
                process.start()
                process.join(20)
                hung = process.exitcode is None
                process.kill()
                assert not hung
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("method", METHODS)
def test_tasks_of_a_process_pool_do_not_depend_on_the_worker(method):
    results = []
    for workers in (1, 2):
        context = multiprocessing.get_context(method)
        with SeedScope(1), concurrent.futures.ProcessPoolExecutor(workers, context) as pool:
            results.append(list(pool.map(draws, range(4))))
    assert results[0] == results[1]
    assert all(len(set(column)) == 4 for column in zip(*results[0], strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_torch_in_a_process_pool(method):
    pytest.importorskip("torch")
    results = []
    for _ in range(2):
        context = multiprocessing.get_context(method)
        with SeedScope(1), concurrent.futures.ProcessPoolExecutor(1, context) as pool:
            results.append(list(pool.map(draws_with_torch, range(2))))
    assert results[0] == results[1]
    assert results[0][0][6] != results[0][1][6]
    assert all(row[7] for row in results[0])  # deterministic algorithms are on there too


def test_pool_older_than_the_scope():
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        outside = pool.submit(draws).result()
        with SeedScope(1):
            first = pool.submit(draws).result()
        with SeedScope(1):
            assert pool.submit(draws).result() == first
        assert pool.submit(draws).result()[2:] != outside[2:]


def test_workers_of_a_multiprocessing_pool():
    results = []
    for _ in range(2):
        with SeedScope(1), multiprocessing.get_context("fork").Pool(1) as pool:
            results.append(pool.map(draws, range(3)))
    assert results[0] == results[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("workers", [2])
def test_data_loader_workers_repeat_without_repeats_between_them(method, workers):
    torch = pytest.importorskip("torch")
    data = pytest.importorskip("torch.utils.data")

    def epochs():
        loader = data.DataLoader(
            Points(), batch_size=2, shuffle=True, num_workers=workers, multiprocessing_context=method
        )
        return [torch.cat(list(loader)) for _ in range(2)]

    with SeedScope(1):
        first = torch.cat(epochs())
    with SeedScope(1):
        assert torch.equal(torch.cat(epochs()), first)
    with SeedScope(2):
        assert not torch.equal(torch.cat(epochs()), first)
    values = first.flatten().tolist()
    assert len(set(values)) == len(values)


def test_forbidden_entropy_is_refused_in_a_child_too():
    with (
        SeedScope(1, entropy="forbid"),
        concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        pytest.raises(AssertionError, match="is forbidden"),
    ):
        pool.submit(draws).result()


def test_process_object_is_left_clean():
    with SeedScope(1):
        process = multiprocessing.get_context("fork").Process(target=draws)
        process.start()
        process.join()
        assert process.exitcode == 0
    assert "pytest_mlrepro" not in process._config


def test_child_that_cannot_start_does_not_disturb():
    with SeedScope(1):
        process = multiprocessing.get_context("spawn").Process(target=lambda: None)
        with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match="local object"):
            process.start()
        first = in_processes("fork", 1)
    assert first
