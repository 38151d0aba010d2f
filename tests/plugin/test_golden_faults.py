"""Bad input and broken stores: a clear error of ours, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.project import Project

Change = Callable[[str, str], None]


def fails_with(project: Project, *lines: str, args: tuple[str, ...] = ()) -> None:
    result = project.run(*args)
    assert result.ret == 1, result.stdout.str()
    result.stdout.fnmatch_lines([f"*{line}*" for line in lines])
    assert "INTERNALERROR" not in result.stdout.str()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_golden_is_named(model: Project, share: float) -> None:
    data = model.golden().read_bytes()
    model.golden().write_bytes(data[: int(len(data) * share)])
    fails_with(model, "GoldenError: *golden.json is not whole")


@pytest.mark.parametrize(("old", "new"), [("0.25", "0.26"), ('"loss"', '"cost"'), ("test_model", "test_other")])
def test_an_edit_by_hand_is_noticed_before_anything_is_compared(model: Project, old: str, new: str) -> None:
    text = model.golden().read_text("utf-8")
    assert old in text
    model.golden().write_text(text.replace(old, new, 1), "utf-8")
    fails_with(model, "GoldenError: *golden.json was edited by hand or damaged")


def test_a_golden_with_windows_line_ends_is_the_same_golden(model: Project) -> None:
    model.golden().write_bytes(model.golden().read_bytes().replace(b"\n", b"\r\n"))
    model.run().assert_outcomes(passed=1)


def test_merge_conflict_markers_have_their_own_message(model: Project) -> None:
    text = model.golden().read_text("utf-8")
    model.golden().write_text("<<<<<<< HEAD\n" + text + "=======\n" + text + ">>>>>>> branch\n", "utf-8")
    fails_with(model, "GoldenError: *golden.json has merge conflicts")


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"


def test_a_git_lfs_pointer_in_place_of_the_golden_has_its_own_message(model: Project) -> None:
    model.golden().write_text(LFS, "utf-8")
    fails_with(model, "GoldenError: *golden.json is a Git LFS pointer*git lfs pull")


def test_a_git_lfs_pointer_in_place_of_an_array_has_its_own_message(model: Project) -> None:
    (array,) = model.golden().parent.glob("*.npy")
    array.write_text(LFS, "utf-8")
    fails_with(model, "GoldenError: *.npy is a Git LFS pointer*git lfs pull")


def test_a_golden_of_a_newer_schema_says_so(model: Project) -> None:
    text = model.golden().read_text("utf-8")
    model.golden().write_text(text.replace('"schema": 1', '"schema": 3'), "utf-8")
    fails_with(model, "GoldenError: *has schema 3, this version knows 2")


def test_a_missing_array_is_named_also_when_the_value_is_right(model: Project) -> None:
    (array,) = model.golden().parent.glob("*.npy")
    array.unlink()
    fails_with(model, f"GoldenError: *{array.name}*can't be read")


def test_an_array_that_does_not_match_its_digest_is_named(model: Project) -> None:
    (array,) = model.golden().parent.glob("*.npy")
    data = bytearray(array.read_bytes())
    data[-1] ^= 1
    array.write_bytes(data)
    fails_with(model, f"GoldenError: *{array.name} is not the file that was recorded")


def test_a_golden_that_names_a_file_elsewhere_is_refused(model: Project, tmp_path: Path) -> None:
    from pytest_mlrepro.golden.record import _seal

    text = model.golden().read_text("utf-8")
    (array,) = model.golden().parent.glob("*.npy")
    seal = json.loads(text)["seal"]
    evil = text.replace(array.name, "../../../test_m.py").replace(seal, "")
    model.golden().write_text(evil.replace('"seal": ""', f'"seal": "{_seal(evil)}"'), "utf-8")
    result = model.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GoldenError*"])


def test_a_golden_of_another_test_in_this_test_s_folder_is_an_error(model: Project) -> None:
    from pytest_mlrepro.golden.layout import golden_folder
    from pytest_mlrepro.records import TestId

    other = golden_folder(TestId(model.root / "test_m.py", "test_other"), root=model.root, golden_dir="__golden__")
    shutil.copytree(model.golden().parent, other)
    model.write((model.root / "test_m.py").read_text("utf-8").replace("test_model", "test_other"))
    fails_with(model, "UsageError: two tests have the same golden folder*")


def test_two_tests_whose_folders_collide_are_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_mlrepro.golden.layout.hashed", lambda text, *rest: "same")
    project.write("def test_a(golden):\n    golden.check(1)\ndef test_b(golden):\n    golden.check(1)\n")
    result = project.run("--golden=record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*UsageError: two tests have the same golden folder*test_a*test_b*"])


def test_a_second_unnamed_check_is_a_usage_error(project: Project) -> None:
    project.write("def test_m(golden):\n    golden.check(1)\n    golden.check(2)\n")
    fails_with(project, "UsageError: *second check without a name", args=("--golden=record",))
    assert project.stored() == {}


def test_a_name_used_twice_is_a_usage_error(project: Project) -> None:
    project.write("def test_m(golden):\n    golden.check(1, 'a')\n    golden.check(2, 'a')\n")
    fails_with(project, "UsageError: *second check named 'a'", args=("--golden=record",))


@pytest.mark.parametrize("name", ["''", "3", "b'x'", "object()"])
def test_a_name_that_is_no_text_is_a_usage_error(project: Project, name: str) -> None:
    project.write(f"def test_m(golden):\n    golden.check(1, {name})\n")
    fails_with(project, "UsageError: golden.check: name must be a text")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{'layers': [1, object()]}", "value*'layers'*[[]1]*object"),
        ("{'f': __import__('threading').Lock()}", "value*'f'*lock"),
        ("[(i for i in ())]", "value?0? is of type generator"),
        ("{'a': np.array([object()])}", "value*'a'*object"),
        ("{'a': np.array([1, 'x'], dtype=object)}", "value*'a'*object"),
    ],
)
def test_an_object_that_cannot_be_stored_is_named_with_its_place(project: Project, value: str, words: str) -> None:
    project.write(f"import numpy as np\ndef test_m(golden):\n    golden.check({value})\n")
    fails_with(project, words, args=("--golden=record", "-W", "ignore::ResourceWarning"))
    assert project.stored() == {}


def test_a_value_that_contains_itself_is_an_error_of_ours(project: Project) -> None:
    project.write("def test_m(golden):\n    x = []\n    x.append(x)\n    golden.check(x)\n")
    fails_with(project, "FingerprintError*")


@pytest.mark.parametrize("value", ["[]", "{}", "np.empty((0, 3))", "{'a': [], 'b': {}}", "''.split()"])
def test_an_empty_comparison_is_an_error(project: Project, value: str) -> None:
    project.write(f"import numpy as np\ndef test_m(golden):\n    golden.check({value})\n")
    fails_with(project, "has no element at all", args=("--golden=record",))
    assert project.stored() == {}


def test_a_check_that_is_never_reached_is_an_error(project: Project) -> None:
    project.write("def test_m(golden):\n    if False:\n        golden.check(1)\n")
    fails_with(project, "never came to golden.check")


@pytest.mark.parametrize("mode", ["check", "record", "update"])
def test_a_key_that_no_check_reached_fails_records_nothing_and_says_so(
    model: Project, change: Change, mode: str
) -> None:
    stored = model.stored()
    change('golden.check({"loss": 0.25, "epochs": 3}, "metrics")', "pass")
    fails_with(
        model,
        "golden 'metrics': recorded, and no check of this run came to it",
        args=(f"--golden={mode}", "--golden-reason=x"),
    )
    assert model.stored() == stored


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_clear_error(project: Project) -> None:
    project.write("def test_m(golden):\n    golden.check(1)\n", "tests/test_m.py")
    (project.root / "tests").chmod(0o555)
    try:
        result = project.run("--golden=record", "tests")
    finally:
        (project.root / "tests").chmod(0o755)
    result.stdout.fnmatch_lines(["*GoldenError: can't make the folder*Nothing was recorded*"])


@pytest.mark.parametrize("step", range(3))
def test_a_full_disk_at_any_step_leaves_the_old_golden_whole(
    model: Project, change: Change, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Each step is one fsync: of the array, of the history, of golden.json."""
    stored = {path: data for path, data in model.stored().items() if "history" not in path}
    calls = iter(range(100))

    def fsync(descriptor: int) -> None:
        if next(calls) == step:
            raise OSError(28, "No space left on device")

    change("np.arange(6.0)", "(np.arange(6.0) + 1)")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        result = model.run("--golden=update", "--golden-reason", "more")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*GoldenError: can't write*No space left on device*"])
    after = model.stored()
    assert stored.items() <= after.items()
    assert not [path for path in after if path.endswith(".tmp")]
    change("(np.arange(6.0) + 1)", "np.arange(6.0)")
    model.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("sed=1", "has no argument 'sed': did you mean seed?"),
        ("determinstic=False", "did you mean deterministic?"),
        ("vary=('thread',)", "did you mean 'threads'?"),
        ("seed=-1", "seed must be a whole number"),
        ("seed='a'", "seed must be a whole number"),
        ("1, 2", "takes one positional argument"),
        ("1, seed=2", "seed is given twice"),
        ("entropy='forbidden'", "did you mean 'forbid'?"),
        ("deterministic=1", "deterministic must be True or False"),
    ],
)
def test_a_wrong_marker_argument_is_named_with_the_nearest_right_one(
    project: Project, arguments: str, words: str
) -> None:
    project.write(f"import pytest\n@pytest.mark.repro({arguments})\ndef test_m():\n    pass\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*UsageError: @pytest.mark.repro*{words}*"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("rtol=1e-3", "rtol=0.001 came without atol"),
        ("rtol=-1, atol=0", "rtol=-1"),
        ("max_ulp=1.5", "max_ulp=1.5"),
        ("tolerance=0.1", "tolerance=0.1"),
        ("tolerance={'nothing': Tolerance()}", "glob 'nothing'"),
    ],
)
def test_a_wrong_tolerance_is_a_usage_error(project: Project, arguments: str, words: str) -> None:
    text = "from pytest_mlrepro import Tolerance\ndef test_m(golden):\n    golden.check({'a': VALUE}, ARGS)\n"
    project.write(text.replace("VALUE", "1.0").replace(", ARGS", ""))
    project.record()
    project.write(text.replace("VALUE", "1.5").replace("ARGS", arguments))
    fails_with(project, f"UsageError: *{words}")


def test_a_proposal_whose_arrays_lie_elsewhere_writes_nothing_elsewhere(model: Project, change: Change) -> None:
    from click.testing import CliRunner

    from pytest_mlrepro.cli import main
    from pytest_mlrepro.golden.record import _seal

    change("np.arange(6.0)", "(np.arange(6.0) + 1)")
    model.run().assert_outcomes(failed=1)
    (proposed,) = (model.root / ".mlrepro" / "pending").glob("*/golden.json")
    text = proposed.read_text("utf-8")
    (array,) = proposed.parent.glob("*.npy")
    array.rename(array.parent.parent / "evil.npy")
    evil = text.replace(array.name, "../evil.npy").replace(json.loads(text)["seal"], "")
    proposed.write_text(evil.replace('"seal": ""', f'"seal": "{_seal(evil)}"'), "utf-8")
    done = CliRunner().invoke(main, ["--root", str(model.root), "accept", "--all", "--reason", "x"])
    assert done.exit_code == 2
    assert "names a file that no golden writes" in done.output
    assert not list((model.root / "__golden__").rglob("evil.npy"))


@pytest.mark.parametrize("mode", ["check", "record"])
def test_a_failed_check_that_the_test_swallows_changes_no_golden(model: Project, change: Change, mode: str) -> None:
    stored = model.stored()
    change(
        'golden.check(np.arange(6.0).reshape(2, 3), "weights")',
        'try:\n        golden.check(np.ones((2, 3)), "weights")\n    except AssertionError:\n        pass',
    )
    model.run(f"--golden={mode}")
    assert model.stored() == stored
