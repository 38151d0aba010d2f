"""Functions that are traced, in a file of the project: some differ in each run and harm nobody, some are to blame."""

import os
import time

import numpy as np

COUNT = [0]


def seeded():
    rng = np.random.default_rng(0)
    return rng.normal(size=4)


def clock_and_generator():
    started = time.time()  # harms nobody
    drawn = np.random.default_rng().normal(size=4)  # parts: clock_and_generator
    print(f"{time.time() - started:.6f}")
    return drawn


def clock_through_a_function():
    stamp = time.time_ns()  # parts: clock_through_a_function
    low = halved(stamp)
    return np.array([low % 1000])


def halved(number):
    half = number // 2
    return half


def filled_later():
    table = np.empty((4, 4))  # filled below
    table[:] = 1.0
    noise = np.random.RandomState().rand(4)  # parts: filled_later
    return table + noise


def process_number():
    number = os.getpid()
    return np.array([COUNT[0] + 0 * number])


def global_draw():
    weights = np.random.normal(size=3)  # parts: global_draw
    return weights


def in_a_loop():
    total = np.zeros(3)
    for number in range(3):
        total += number
        if number == 2:
            total[1] = np.random.default_rng().random()  # parts: in_a_loop
    return total


def in_a_comprehension():
    rng = np.random.default_rng(1)
    noise = [rng.random() + np.random.default_rng().random() for _ in range(5)]  # parts: in_a_comprehension
    return np.array(noise)


def other_path():
    COUNT[0] += 1
    if COUNT[0] % 2:
        return np.ones(2)
    return np.zeros(2)


class Model:
    def __init__(self):
        self.weights = np.zeros(3)

    def fit(self):
        self.weights = np.random.default_rng().normal(size=3)  # parts: Model.fit
        return self


def method():
    model = Model()
    model.fit()
    return model.weights


def generator():
    for number in range(3):
        drawn = number + np.random.default_rng().random()  # parts: generator
        yield drawn


def from_a_generator():
    return np.array(list(generator()))
