"""`golden.check_distribution` in a project: recorded, checked, reviewed, and shared out over the suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from pytest_mlrepro.cli import main
from tests.plugin.project import Project

TRAIN = """
import random
import numpy as np
import pytest

def train(seed):
    return SHIFT + np.random.normal(size=9).sum() / 3 + random.random()

SHIFT = 0.0

@pytest.mark.repro
def test_loss(golden):
    golden.check_distribution(train, "loss")
"""


@pytest.fixture
def trained(project: Project) -> Project:
    project.write(TRAIN)
    project.record()
    return project


@pytest.fixture
def alter(trained: Project) -> Callable[[str, str], None]:
    def replace(old: str, new: str) -> None:
        assert old in TRAIN
        trained.write(TRAIN.replace(old, new))

    return replace


def output(project: Project, *args: str) -> str:
    return project.run(*args).stdout.str()


def cli(project: Project, *args: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["--root", str(project.root), *args])
    assert done.exit_code == status, done.output
    return done.output


def test_what_is_recorded_passes_and_says_what_it_would_have_seen(trained: Project) -> None:
    result = trained.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*distributions that passed*80% power*", "*test_m.py::test_loss (loss): ±1.*"])


def test_each_run_is_seeded_and_the_states_around_it_are_put_back(project: Project) -> None:
    project.write(
        "import random, numpy as np, pytest\n"
        "def draw(seed):\n"
        "    values[seed] = (random.random(), np.random.random(), np.random.default_rng().random())\n"
        "    return values[seed][0] + values[seed][2]\n"
        "values = {}\n"
        "@pytest.mark.repro(seed=5)\n"
        "def test_m(golden):\n"
        "    before = random.getstate(), np.random.get_state()[1].tolist()\n"
        "    golden.check_distribution(draw)\n"
        "    assert (random.getstate(), np.random.get_state()[1].tolist()) == before\n"
        "    assert values[3][0] == random.Random(3).random()\n"
        "    assert values[3][1] == np.random.RandomState(3).random()\n"
        "    assert len(set(values.values())) == 20\n"
    )
    project.record()
    project.run().assert_outcomes(passed=1)


def test_a_shift_fails_with_its_size_its_noise_and_the_command(
    trained: Project, alter: Callable[[str, str], None]
) -> None:
    alter("SHIFT = 0.0", "SHIFT = 3.0")
    text = output(trained)
    for line in (
        "loss changed: test_m.SHIFT changed",
        "higher than recorded",
        "shift   +3.00",
        "or less is an alarm",
        "would have been seen with 80% power",
        "mlrepro accept 'test_m.py::test_loss' --reason",
        "false alarms: 0.01 at most for the 1 metric",
    ):
        assert line in text


def test_other_random_streams_pass(trained: Project, alter: Callable[[str, str], None]) -> None:
    alter("np.random.normal(size=9).sum()", "np.random.normal(size=18)[9:].sum()")
    result = trained.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*(loss): ±1.* (p = * of the shift, * of the spread)"])
    assert not (trained.root / ".mlrepro" / "pending").exists()


def test_the_review_works_as_for_other_checks(trained: Project, alter: Callable[[str, str], None]) -> None:
    alter("SHIFT = 0.0", "SHIFT = 3.0")
    trained.run().assert_outcomes(failed=1)
    assert "greatest change: median" in cli(trained, "show", "test_loss")
    assert "shift" in cli(trained, "diff", "test_loss", status=1)
    cli(trained, "accept", "test_loss", "--reason", "three more")
    shown = cli(trained, "show", "test_loss")
    assert "distribution, false_alarm_rate=0.01" in shown
    assert "accept by" in shown
    assert "sees a shift of 1." in shown
    assert "1 golden verified" in cli(trained, "verify")
    trained.run().assert_outcomes(passed=1)


def test_update_replaces_and_record_leaves_what_differs(trained: Project, alter: Callable[[str, str], None]) -> None:
    alter("SHIFT = 0.0", "SHIFT = 3.0")
    before = trained.stored()
    trained.run("--golden=record").assert_outcomes(failed=1)
    assert trained.stored() == before
    trained.run("--golden=update", "--golden-reason", "meant").assert_outcomes(passed=1)
    trained.run().assert_outcomes(passed=1)


def test_several_metrics_are_tested_by_themselves(project: Project) -> None:
    text = (
        "import numpy as np\n"
        "def train(seed):\n"
        "    return {'loss': np.float32(np.random.normal()), 'per class': np.random.normal(size=2) + [0, SHIFT]}\n"
        "def test_m(golden):\n"
        "    golden.check_distribution(train, seeds=range(100, 130))\n"
    )
    project.write(f"SHIFT = 0\n{text}")
    project.record()
    project.run().assert_outcomes(passed=1)
    project.write(f"SHIFT = 5\n{text}")
    shown = output(project)
    assert "per class[1]: higher than recorded" in shown
    assert "no change seen (± would have been): loss ±" in shown
    assert "for the 3 metrics" in shown
    assert "seed 1" in shown


def test_a_changed_set_of_seeds_or_metrics_is_a_change(trained: Project, alter: Callable[[str, str], None]) -> None:
    alter('train, "loss"', 'train, "loss", seeds=30')
    assert "recorded over 20 seeds, checked over 30 seeds" in output(trained)
    alter("return SHIFT + np.random.normal(size=9).sum() / 3 + random.random()", "return {'l2': np.random.normal()}")
    assert "recorded were one number, this run gave l2" in output(trained)


def test_a_check_and_a_distribution_of_one_name_are_told_apart(
    trained: Project, alter: Callable[[str, str], None]
) -> None:
    alter('check_distribution(train, "loss")', 'check(train(0), "loss")')
    assert "value: kind differs: expected distribution, actual numpy.scalar of float64" in output(trained)
    trained.run("--golden=update", "--golden-reason", "one value").assert_outcomes(passed=1)
    trained.write(TRAIN)
    assert "one check became the other, under the same name" in output(trained)


def test_a_lower_rate_is_looser_and_to_be_accepted(trained: Project, alter: Callable[[str, str], None]) -> None:
    alter('train, "loss"', 'train, "loss", false_alarm_rate=0.001')
    assert "false_alarm_rate is 0.001, was 0.01: smaller changes go unseen" in output(trained)
    alter('train, "loss"', 'train, "loss", false_alarm_rate=0.02')
    trained.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("odd", ["nan", "-inf"])
def test_a_metric_that_is_no_finite_number_fails_and_names_the_seed(
    trained: Project, alter: Callable[[str, str], None], odd: str
) -> None:
    alter("return SHIFT", f"return float('{odd}') if seed == 13 else SHIFT")
    assert f"golden 'loss': the metric is {odd} at seed 13: a distribution is of finite numbers" in output(trained)
    stored = trained.stored()
    trained.run("--golden=update", "--golden-reason", "no").assert_outcomes(failed=1)
    assert trained.stored() == stored


def test_what_the_function_raises_names_the_seed(trained: Project, alter: Callable[[str, str], None]) -> None:
    alter("return SHIFT", "return 1 / (seed - 7) + SHIFT")
    text = output(trained)
    assert "ZeroDivisionError" in text
    assert "raised in the run of seed 7" in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("train, seeds=1", "seeds must be from 2 to 1000"),
        ("train, seeds=[3, 3]", "seeds holds a seed twice"),
        ("train, seeds=[1, -1]", "seeds holds -1"),
        ("train, seeds='ab'", "seeds must be how many"),
        ("train, seeds=7", "Take at least 10 seeds"),
        ("train, false_alarm_rate=0", "false_alarm_rate must be above 0"),
        ("lambda: 1.0", "fn must take one argument, the seed"),
        ("3", "fn must be a function of a seed"),
        ("train, executor=2", "executor must be a concurrent.futures.Executor"),
        ("lambda seed: True", "gave bool: a number"),
        ("lambda seed: 'a'", "gave str: a number"),
        ("lambda seed: {'a': None}", "gave none at a: a number"),
        ("lambda seed: {}", "gave no number at all"),
        ("lambda seed: 1j", "gave complex"),
        ("lambda seed: [1.0] * 65", "gave 65 numbers"),
        ("lambda seed: 2**60", "a float can't hold it exactly"),
        ("lambda seed: 1e305", "beyond a float"),
        ("lambda seed: object()", "gave no metric"),
        ("lambda seed: {'a': 1.0} if seed else {'b': 1.0}", "every seed must give the same metrics"),
        ("lambda seed: {'a.b': 1.0, 'a': {'b': 2.0}}", "two numbers that are both called 'a.b'"),
    ],
)
def test_a_mistake_is_named(trained: Project, alter: Callable[[str, str], None], call: str, message: str) -> None:
    alter('train, "loss"', call)
    text = output(trained)
    assert "UsageError" in text
    assert message in text


def test_so_few_seeds_that_no_change_could_be_seen_record_nothing(project: Project) -> None:
    project.write(TRAIN.replace('train, "loss"', "train, seeds=5"))
    assert "with 5 seeds no change could ever be seen" in output(project, "--golden=record")
    assert project.stored() == {}


def test_a_metric_without_spread_is_compared_as_it_is(project: Project) -> None:
    project.write("def test_m(golden):\n    golden.check_distribution(lambda seed: 0.5)\n")
    project.record()
    project.run().assert_outcomes(passed=1)
    project.write("def test_m(golden):\n    golden.check_distribution(lambda seed: 0.5000002)\n")
    text = output(project)
    assert "from 0.5 to 0.5000002" in text
    assert "the seed makes no difference to either" in text


def test_the_rate_is_shared_by_all_that_is_recorded_whatever_is_run(project: Project) -> None:
    project.write(TRAIN, "a/test_a.py")
    project.write(TRAIN.replace("test_loss", "test_b"), "b/test_b.py")
    project.record()
    project.write(TRAIN.replace("SHIFT = 0.0", "SHIFT = 3.0"), "a/test_a.py")
    whole, part, only = output(project), output(project, "-k", "test_loss"), output(project, "a")
    for text in (whole, part, only):
        assert "false alarms: 0.01 at most for the 2 metrics" in text
        assert "0.0025 or less is an alarm" in text


def test_a_recording_counts_what_was_there_before_it(project: Project) -> None:
    project.write(TRAIN)
    project.record()
    project.write(TRAIN.replace("SHIFT = 0.0", "SHIFT = 3.0"))
    project.write(TRAIN.replace("test_loss", "test_b"), "test_b.py")  # runs first, and is recorded
    assert "at most for the 1 metric\n" in output(project, "--golden=record").replace("E       ", "")


def test_runs_that_differ_in_bits_but_not_in_distribution_are_recorded(project: Project) -> None:
    project.write(TRAIN.replace("+ random.random()", "+ next(noise)").replace("SHIFT = 0.0", NOISE))
    project.record()
    project.run().assert_outcomes(passed=1)


NOISE = """SHIFT = 0.0
noise = iter(random.Random(0).random, 2)
"""


def test_runs_that_drift_apart_are_refused(project: Project) -> None:
    project.write(TRAIN.replace("+ random.random()", "+ next(calls)").replace("SHIFT = 0.0", DRIFT))
    text = output(project, "--golden=record")
    assert "not reproducible: golden 'loss' differs in a second run of the same code; nothing was recorded" in text
    assert "the metric: higher than recorded" in text


DRIFT = """SHIFT = 0.0
import itertools
calls = itertools.count()
"""
