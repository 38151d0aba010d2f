"""What really ran is noted where Python can tell, and compares with runs where it can't."""

from __future__ import annotations

import sys
import threading

import pytest

from pytest_mlrepro.fingerprints.code import changed_code, fingerprint_code, without_ran
from pytest_mlrepro.fingerprints.code.ran import Ran
from tests.unit.code_projects import Projects

monitored = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is of Python 3.12")
FILES = {
    "test_m.py": """
        import plugins
        def test_a(name="found"):
            return plugins.call(name)
        def other(): return 1
    """,
    "plugins.py": "import importlib\ndef call(name):\n    return importlib.import_module(name).run(2)\n",
    "found.py": "import numpy as np\nK = 3\n"
    "def run(x):\n    def inner(y): return y + 1\n    return sum(inner(i) for i in range(x)) + K + step(x)\n"
    "def step(x): return x\ndef unused(): return 1\n",
}


@pytest.fixture
def projects(tmp_path):
    return Projects(tmp_path)


def ran_and_read(projects, files=FILES, **options):
    root = projects.write(files)
    with projects.imported(root) as module:
        ran = Ran(root)
        with ran:
            module.test_a()
        codes = ran.codes if options.get("noted", True) else None
        return fingerprint_code([module.test_a], project=root, ran=codes)


def parts(found):
    return {name: [inner for inner, _ in part.parts] for name, part in found.parts}


@monitored
def test_what_ran_and_is_mentioned_nowhere_is_a_part(projects):
    found = parts(ran_and_read(projects))
    assert found["ran"] == ["found.K", "found.run", "found.step"]
    assert set(found) == {"plugins.call", "ran", "test_m.test_a"}


@monitored
@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("def unused(): return 1", "def unused(): return 2", ""),
        ("y + 1", "y + 2", "run"),
        ("K = 3", "K = 4", "K"),
        ("return x\n", "return -x\n", "step"),
    ],
)
def test_a_change_of_it_is_named(old, new, name, projects):
    before = ran_and_read(projects)
    after = ran_and_read(projects, {**FILES, "found.py": FILES["found.py"].replace(old, new)})
    assert changed_code(before, after) == ((f"ran/found.{name}",) if name else ())


@monitored
def test_runs_with_and_without_compare(projects):
    with_ran, without = ran_and_read(projects), ran_and_read(projects, noted=False)
    assert "ran" not in parts(without)
    assert with_ran.digest != without.digest
    assert changed_code(with_ran, without) == changed_code(without, with_ran) == ()
    assert without_ran(with_ran) == without
    assert without_ran(without) == without


@monitored
def test_what_did_not_run_this_time_is_no_change(projects):
    some = {**FILES, "found.py": FILES["found.py"].replace("+ step(x)", "")}
    assert changed_code(ran_and_read(projects), ran_and_read(projects, some)) == ("ran/found.run",)
    edited = {**FILES, "plugins.py": FILES["plugins.py"].replace(".run(2)", ".run(3)")}
    assert changed_code(ran_and_read(projects), ran_and_read(projects, edited)) == ("plugins.call",)


@monitored
def test_each_run_sees_its_own_and_every_thread(projects):
    root = projects.write(FILES)
    with projects.imported(root) as module:
        ran = Ran(root)
        for _ in range(2):
            with ran:
                thread = threading.Thread(target=module.other)
                thread.start()
                thread.join()
            assert [code.co_name for code in ran.codes] == ["other"]
        with ran:
            pass
        module.test_a()
        assert ran.codes == ()


@monitored
def test_two_at_once_and_other_tools(projects):
    root = projects.write(FILES)
    with projects.imported(root) as module, Ran(root) as outer:
        with Ran(root) as inner:
            third = Ran(root)
            assert not third.available
            with third:
                module.other()
            assert third.codes is None
        assert [code.co_name for code in outer.codes] == [code.co_name for code in inner.codes] == ["other"]
    assert [sys.monitoring.get_tool(tool) for tool in range(6)].count("pytest-mlrepro") == 0


@monitored
def test_installed_code_is_not_noted(projects):
    import json

    with Ran(projects.write(FILES)) as ran:
        json.dumps({"a": [1]}, indent=2)
    assert ran.codes == ()


@monitored
def test_an_error_inside_leaves_nothing_switched_on(projects):
    with pytest.raises(ZeroDivisionError), Ran(projects.write(FILES)) as ran:
        raise ZeroDivisionError
    assert ran.available
    assert sys.monitoring.get_tool(4) is None


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="before Python 3.12")
def test_before_python_3_12_nothing_is_noted(projects):
    with Ran(projects.write(FILES)) as ran:
        pass
    assert not ran.available
    assert ran.codes is None
