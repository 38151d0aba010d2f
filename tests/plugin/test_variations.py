"""What @repro(vary=…) finds in other processes and under other settings, and which cause it names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pytest_mlrepro.determinism.child
import pytest_mlrepro.determinism.ladder
import pytest_mlrepro.integration.rerunner
import pytest_mlrepro.integration.serving  # noqa: F401  # as in project.py: numpy can be imported only once
from tests.plugin.project import Project

HEAD = "import itertools, os, random\nimport numpy as np\nimport pytest\n"


def vary(*names: str) -> str:
    return f"@pytest.mark.repro(vary={names!r})\n"


WORDS = "WORDS = {f'word{i}' for i in range(30)}\n"


@pytest.mark.parametrize("names", [("hashseed",), ("process", "hashseed", "malloc"), ("process",)])
def test_the_order_of_a_set_is_named_as_the_hash_seed(
    project: Project, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)  # where it is fixed, a fresh process alone has the same
    project.write(
        HEAD
        + WORDS
        + vary(*names)
        + "def test_bad(repro):\n    repro.checkpoint('words', list(WORDS))\n"
        + vary(*names)
        + "def test_good(repro):\n    repro.checkpoint('words', sorted(WORDS))\n"
    )
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*'words' differs in a run under another hash seed*", "*only under another hash seed*"]
    )


def test_a_fixed_hash_seed_is_kept_in_a_fresh_process(project: Project) -> None:
    project.write(HEAD + WORDS + vary("process") + "def test_m(repro):\n    repro.checkpoint('words', list(WORDS))\n")
    env = {**os.environ, "PYTHONHASHSEED": "5"}
    command = [sys.executable, "-m", "pytest", "-q"]
    done = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_memory_that_nobody_wrote_to_is_named(project: Project) -> None:
    body = "    repro.checkpoint('buffer', np.{}(4000, dtype='float32'){})\n"
    project.write(
        HEAD
        + vary("hashseed", "malloc")
        + "def test_bad(repro):\n"
        + body.format("empty", "")
        + vary("hashseed", "malloc")
        + "def test_good(repro):\n"
        + body.format("zeros", "")
    )
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the value holds the pattern that memory was filled with*"])


def test_what_differs_in_each_process_is_not_blamed_on_the_hash_seed(project: Project) -> None:
    project.write(
        HEAD + vary("hashseed", "process") + "def test_bad(repro):\n    repro.checkpoint('pid', os.getpid())\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*'pid' differs in a run in a fresh process*", "*two fresh processes differ from each other*"]
    )
    assert "hash" not in result.stdout.str().partition("Where the runs part")[2]


def test_state_of_this_process_is_named(project: Project) -> None:
    project.write(
        HEAD
        + "CACHE = []\ndef test_before():\n    CACHE.append(1)\n"
        + vary("process", "hashseed")
        + "def test_bad(repro):\n    repro.checkpoint('n', len(CACHE))\n"
    )
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*'n' differs in a run in a fresh process*", "*state that this process had gathered*"])


def test_the_order_of_files_is_named(project: Project) -> None:
    touch = "    for name in 'abc':\n        (tmp_path / name).touch()\n"
    project.write(
        HEAD
        + vary("folders")
        + "def test_bad(repro, tmp_path):\n"
        + touch
        + "    repro.checkpoint('f', os.listdir(tmp_path))\n"
        + vary("folders")
        + "def test_glob(repro, tmp_path):\n"
        + touch
        + "    repro.checkpoint('f', [p.name for p in tmp_path.glob('*')])\n"
        + vary("folders")
        + "def test_good(repro, tmp_path):\n"
        + touch
        + "    repro.checkpoint('f', sorted(os.listdir(tmp_path)))\n"
    )
    result = project.run()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*differs in a run with the files of folders in another order*", "*sort them*"])


def test_a_variation_is_not_blamed_for_what_a_plain_rerun_does_too(project: Project) -> None:
    project.write(
        HEAD + "@pytest.mark.repro(vary='folders', entropy='allow')\ndef test_m(repro):\n"
        "    repro.checkpoint('n', np.random.default_rng().random())\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*differs in a second run of the same code*", "*a plain rerun differs too*"])


def test_the_test_that_leaves_something_behind_is_named(project: Project) -> None:
    others = "".join(f"def test_other{n}():\n    pass\n" for n in range(5))
    project.write(
        HEAD
        + "SEEN = []\n"
        + others
        + "def test_guilty():\n    SEEN.append(1)\n"
        + vary("order")
        + "def test_bad(repro):\n    repro.checkpoint('n', len(SEEN))\n"
        + vary("order")
        + "def test_good(repro):\n    repro.checkpoint('n', 1)\n"
    )
    result = project.run()
    result.assert_outcomes(passed=7, failed=1)
    result.stdout.fnmatch_lines(["*'n' differs in a run with the tests in another order*", "*test_m.py::test_guilty*"])


def test_a_test_that_comes_later_is_named_too(project: Project) -> None:
    project.write(
        HEAD + "SEEN = []\n" + vary("order") + "def test_bad(repro):\n    repro.checkpoint('n', len(SEEN))\n"
        "def test_guilty():\n    SEEN.append(1)\ndef test_other():\n    pass\n"
    )
    result = project.run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*'n' differs in a run with the tests in another order*", "*test_m.py::test_guilty*"])


def test_another_instruction_set_never_fails_and_is_reported(project: Project) -> None:
    project.write(
        HEAD + vary("isa") + "def test_m(repro):\n    in_child = 'ATEN_CPU_CAPABILITY' in os.environ\n"
        "    repro.checkpoint('x', 1.0 + in_child * 2 ** -50)\n"
        + vary("isa")
        + "def test_n(repro):\n    repro.checkpoint('x', 1)\n    assert 'ATEN_CPU_CAPABILITY' not in os.environ\n"
    )
    result = project.run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "under an older instruction set*",
            "*test_m  checkpoint 'x': up to 8.9e-16 absolute, 8.9e-16 relative, 4 ulp*",
            "*test_n  the test: failed: *",
        ]
    )


def test_threads_are_held_to_the_tolerance_and_their_spread_is_reported(project: Project) -> None:
    pytest.importorskip("threadpoolctl")
    threads = (
        "from threadpoolctl import threadpool_info\n"
        "def threads():\n    return [p['num_threads'] for p in threadpool_info()][0]\n"
    )
    body = "def test_m(repro):\n    np.ones(2) @ np.ones(2)\n    repro.checkpoint('x', 1.0 + threads() * {})\n"
    project.write(HEAD + threads + vary("threads") + body.format("1e-12"))
    project.run().stdout.fnmatch_lines(
        ["under another number of threads these differ within*", "*checkpoint 'x': up to *"]
    )
    project.write(HEAD + threads + vary("threads") + body.format("1e-3"))
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*'x' differs in a run under another number of threads*", "*it depends on the number of threads*"]
    )


# The processes themselves.


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("os._exit(3)", "the process ended with status 3"),
        ("os.kill(os.getpid(), 11)", "the process ended with signal SIGSEGV"),
        ("time.sleep(60)", "there was no end after 2 s (the ini setting mlrepro_child_timeout)"),
    ],
)
def test_a_process_that_breaks_is_told_of_and_the_next_test_has_another(project: Project, body: str, told: str) -> None:
    project.write(
        HEAD
        + f"import time\nPARENT = {os.getpid()}\n"
        + vary("hashseed")
        + "def test_bad(repro):\n    repro.checkpoint('a', 1)\n"
        f"    if os.getpid() != PARENT:\n        {body}\n"
        + vary("hashseed")
        + "def test_good(repro):\n    repro.checkpoint('a', 1)\n"
    )
    result = project.run("-o", "mlrepro_child_timeout=2" if "sleep" in body else "mlrepro_child_timeout=60")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"*came to no end: {told}*"])


def test_a_process_that_can_not_start_is_told_of_once_started_and_not_again(project: Project) -> None:
    project.write(
        "import os\nif os.environ.get('PYTHONHASHSEED') == '2':\n    with open('starts', 'a') as f:\n        f.write('x')\n"
        "    raise RuntimeError('no such machine')\n", "conftest.py"
    )  # fmt: skip
    project.write(HEAD + (vary("hashseed") + "def test_{}(repro):\n    repro.checkpoint('a', 1)\n").format("m", "") * 1
                  + vary("hashseed") + "def test_n(repro):\n    repro.checkpoint('a', 1)\n")  # fmt: skip
    result = project.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*RuntimeError: no such machine*"])
    assert (project.root / "starts").read_text("utf-8") == "x"


def test_a_test_whose_name_depends_on_the_hash_seed_is_told_of(project: Project) -> None:
    project.write(
        HEAD
        + "NAMES = {f'n{os.getpid()}'}\n@pytest.mark.parametrize('name', NAMES)\n"
        + vary("process")
        + "def test_m(repro, name):\n    repro.checkpoint('a', 1)\n"
    )
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*found no such test*", "Parametrise by a list, not by a set*"])


def test_one_process_serves_all_tests_and_tears_their_fixtures_down(project: Project) -> None:
    project.write(
        "import os, pytest\nFILE = os.path.join(os.path.dirname(__file__), 'log')\n"
        "@pytest.fixture(scope='module')\ndef shared(request):\n"
        "    def note(text):\n        with open(FILE, 'a') as f:\n"
        "            f.write(f'{os.getpid()} {request.module.__name__} {text}\\n')\n"
        "    note('up')\n    yield\n    note('down')\n", "conftest.py"
    )  # fmt: skip
    test = "def test_{}(repro, shared):\n    repro.checkpoint('a', 1)\n"
    for name in ("m", "n"):
        project.write(HEAD + vary("process") + test.format("a") + vary("process") + test.format("b"), f"test_{name}.py")
    project.run().assert_outcomes(passed=4)
    lines = [line.split() for line in (project.root / "log").read_text("utf-8").splitlines()]
    children = {pid for pid, *_ in lines} - {str(os.getpid())}
    assert len(children) == 1
    assert [rest for pid, *rest in lines if pid in children] == [
        ["test_m", "up"], ["test_m", "down"], ["test_n", "up"], ["test_n", "down"],
    ]  # fmt: skip


def test_the_child_has_the_options_that_matter_and_none_that_are_for_a_whole_run(project: Project) -> None:
    project.write(
        "def pytest_addoption(parser):\n    parser.addoption('--device', default='cpu')\n    parser.addini('size', '')\n",
        "conftest.py",
    )
    project.write(
        "import numpy as np\nimport pytest\n@pytest.mark.parametrize('n', [1, 2])\n@pytest.mark.repro(vary='process')\n"
        "def test_m(repro, pytestconfig, n):\n"
        "    repro.checkpoint('a', [pytestconfig.getoption('device'), pytestconfig.getini('size')])\n"
        "    assert pytestconfig.getoption('device') == 'gpu' and pytestconfig.getini('size') == '7'\n",
        "tests/test_m.py",
    )
    project.pytester.makeini(
        "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider --device gpu -x -vv --junitxml=out.xml --durations=3\n"
    )
    report = project.root / "out.xml"
    result = project.run("-o", "size=7", "-k", "test_m", "--basetemp=base", "tests/test_m.py")
    result.assert_outcomes(passed=2)
    assert report.read_text("utf-8").count("<testcase") == 2
    project.pytester.chdir()
    (project.root / "tests").resolve()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-o", "size=7", "-q"],
        cwd=project.root / "tests",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_each_worker_of_xdist_has_processes_of_its_own(project: Project) -> None:
    pytest.importorskip("xdist")
    project.write(
        HEAD + WORDS + "@pytest.mark.parametrize('n', range(3))\n" + vary("hashseed") + "def test_good(repro, n):\n"
        "    repro.checkpoint('a', n)\n"
        + vary("hashseed")
        + "def test_bad(repro):\n    repro.checkpoint('a', list(WORDS))\n"
    )
    result = project.pytester.runpytest_subprocess("-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*differs in a run under another hash seed*"])


def test_ctrl_c_ends_the_processes(project: Project, tmp_path: Path) -> None:
    project.write(
        HEAD + "import time\n" + vary("process") + "def test_m(repro):\n"
        "    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q"]
    run = subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pid = project.root / "pid"
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(pid.read_text())
    assert child != run.pid
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=30)
    assert "KeyboardInterrupt" in out
    assert gone(child)


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
