"""Goldens of one device, machine or library beside the one for all: the most specific is used, and none is made silently."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_mlrepro import cli
from pytest_mlrepro.errors import UsageError
from pytest_mlrepro.golden import store, variants
from pytest_mlrepro.golden.layout import is_leaf, leaf
from tests.plugin.project import Project

TEST = """
def test_a(golden):
    golden.check([1.0, VALUE], "w")
    golden.check({"n": 3}, "facts")

def test_b(golden):
    golden.check(7)
"""
INI = "[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\nmlrepro_variants = device, machine, blas, numpy\n"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch):
    """Say what this machine is: the facts themselves are tested below, against the real one."""
    facts = {"device": "cpu", "machine": "x86_64", "blas": "openblas"}
    monkeypatch.setattr(variants, "_ASKED", {**variants._ASKED, **{key: (lambda k=key: facts[k]) for key in facts}})
    monkeypatch.setattr(variants, "_major", lambda package: facts.get(package, "2"))
    return facts


@pytest.fixture
def several(project: Project, here: dict[str, str]) -> Project:
    """A project that declares variants, with goldens for all."""
    project.pytester.makeini(INI)
    write(project, 2.0)
    project.record()
    return project


def write(project: Project, value: float) -> None:
    project.write(TEST.replace("VALUE", str(value)))


def kept(project: Project) -> dict[str, dict[str, str]]:
    """Return the variant of each golden of test_a by its folder's name."""
    found = {}
    for path in project.goldens():
        data = json.loads(path.read_text("utf-8"))
        if ".mlrepro" not in path.parts and data["test"] == "test_a":
            found[path.parent.name] = data["variant"]
    return found


def mlrepro(project: Project, *args: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli.main, ["--root", str(project.root), *args])
    assert result.exit_code == code, result.output
    return result.output


def test_without_being_asked_one_golden_for_all_is_recorded(several: Project) -> None:
    assert list(kept(several).values()) == [{}]
    several.run().assert_outcomes(passed=2)
    assert mlrepro(several, "status").count("golden      ") == 2


def test_a_failure_names_the_golden_and_how_to_record_a_variant_and_none_is_made(several: Project, here) -> None:
    here["device"] = "cuda"
    write(several, 2.5)
    for args in ((), ("--golden=record",)):
        result = several.run(*args)
        result.assert_outcomes(failed=1, passed=1)
        text = result.stdout.str()
        assert "Held against the golden for all variants." in text
        assert "to give this device a golden of its own:" in text
        assert "pytest 'test_m.py::test_a' --golden=record --golden-variant=device" in text
        assert list(kept(several).values()) == [{}]


def test_a_variant_is_recorded_on_demand_used_where_it_fits_and_named(several: Project, here) -> None:
    here["device"] = "cuda"
    write(several, 2.5)
    several.run("--golden=record", "--golden-variant=device", "-k", "test_a").assert_outcomes(passed=1)
    assert sorted(map(str, kept(several).values())) == ["{'device': 'cuda'}", "{}"]
    result = several.run()
    result.assert_outcomes(passed=2)
    assert "goldens of the variant device=cuda: 1 test" in result.stdout.str()
    write(several, 2.0)
    text = several.run().stdout.str()
    assert "Held against the golden of the variant device=cuda." in text
    assert "mlrepro accept 'test_m.py::test_a (device=cuda)'" in text
    assert "--golden=record --golden-variant=device,machine" in text
    here["device"] = "cpu"
    several.run().assert_outcomes(passed=2)


ORDER = [
    # what there is, what is used here
    (("device", "machine"), "device"),
    (("machine", "numpy"), "machine"),
    (("device", "machine,numpy"), "machine,numpy"),
    (("blas,numpy", "device,numpy", "machine,numpy"), "device,numpy"),
    (("machine,blas,numpy", "device,machine"), "machine,blas,numpy"),
    (("device,machine,blas,numpy", "machine,blas,numpy"), "device,machine,blas,numpy"),
]


@pytest.mark.parametrize(("there", "used"), ORDER, ids=str)
def test_the_golden_that_names_most_is_used_and_then_the_one_declared_first(
    several: Project, there: tuple[str, ...], used: str
) -> None:
    values = {keys: 10.0 + number for number, keys in enumerate(there)}
    for keys, value in values.items():
        write(several, value)
        several.record(f"--golden-variant={keys}", "-k", "test_a")
    write(several, values[used])
    several.run().assert_outcomes(passed=2)
    for keys in there:
        if keys != used:
            write(several, values[keys])
            several.run().assert_outcomes(passed=1, failed=1)


def test_a_golden_of_another_value_or_of_a_key_that_is_not_declared_any_more_is_not_used(
    several: Project, here
) -> None:
    write(several, 9.0)
    several.record("--golden-variant=device,numpy", "-k", "test_a")
    here["numpy"] = "3"
    write(several, 2.0)
    several.run().assert_outcomes(passed=2)
    here["numpy"] = "2"
    several.run().assert_outcomes(passed=1, failed=1)
    several.pytester.makeini(INI.replace("device, machine, blas, numpy", "device"))
    several.run().assert_outcomes(passed=2)


def test_recording_and_updating_leave_other_variants_alone(several: Project, here) -> None:
    write(several, 3.0)
    several.record("--golden-variant=numpy", "-k", "test_a")
    before = several.stored()
    base = {name: data for name, data in before.items() if "test_a-2-" not in name}
    write(several, 4.0)
    several.run("--golden=update", "--golden-reason=better").assert_outcomes(passed=2)
    assert {name: several.stored()[name] for name in base} == base
    assert several.stored() != before
    assert len(kept(several)) == 2
    assert "1 golden" not in mlrepro(several, "verify")


def test_a_run_of_a_variant_without_goldens_proposes_them_and_accepting_makes_them(several: Project) -> None:
    several.run("--golden-variant=machine").assert_outcomes(failed=2)
    assert list(kept(several).values()) == [{}]
    pending = json.loads(mlrepro(several, "pending", "--json"))["pending"]
    assert [entry["variant"] for entry in pending] == [{"machine": "x86_64"}] * 2
    assert "nothing is recorded yet" in mlrepro(several, "status")
    mlrepro(several, "accept", "test_m.py::test_a (machine=x86_64)", "--reason", "other sums")
    assert {"machine": "x86_64"} in kept(several).values()
    mlrepro(several, "accept", "--all", "--reason", "other sums")
    result = several.run()
    result.assert_outcomes(passed=2)
    assert "goldens of the variant machine=x86_64: 2 tests" in result.stdout.str()


def test_commands_tell_variants_apart(several: Project) -> None:
    several.record("--golden-variant=machine,numpy")
    text = mlrepro(several, "status")
    assert "golden      test_m.py::test_a (machine=x86_64, numpy=2)" in text
    assert "golden      test_m.py::test_a\n" in text
    assert mlrepro(several, "show", "test_a").count("test_m.py::test_a") == 2
    assert mlrepro(several, "diff", "test_m.py::test_a", "test_m.py::test_a (machine=x86_64, numpy=2)").startswith(
        "the same"
    )


def test_goldens_of_variants_are_never_obsolete(several: Project) -> None:
    several.record("--golden-variant=machine")
    several.write("def test_c():\n    pass\n")
    result = several.run()
    listed = json.loads(mlrepro(several, "prune", "--json", code=1))["obsolete"]
    assert [entry["test"] for entry in listed] == ["test_m.py::test_a", "test_m.py::test_b"]
    assert "x86_64" not in result.stdout.str()
    mlrepro(several, "prune", "--yes")
    assert list(kept(several).values()) == [{"machine": "x86_64"}]


def test_a_golden_whose_folder_was_copied_to_another_variant_is_refused(several: Project) -> None:
    (name,) = kept(several)
    folder = next(path.parent for path in several.goldens() if path.parent.name == name)
    folder.rename(folder.with_name(leaf("test_a", "test_m.py", {"machine": "x86_64"})))
    result = several.run()
    result.assert_outcomes(failed=1, passed=1)
    assert "the folder has another name than it was recorded under" in result.stdout.str()


@pytest.mark.parametrize(
    ("ini", "asked", "words"),
    [
        ("device, device", None, "names 'device' twice"),
        (
            "device, no_such_package_here",
            None,
            "neither one of device, gpu, machine, system, blas, python nor an installed",
        ),
        ("architecture", None, "'architecture' is neither one of"),
        ("device, ../etc", None, "'../etc' is neither"),
        ("device numpy pytest click blake3 xxhash packaging", None, "names 7 keys, and 6 are the most"),
        ("device", "numpy", "'numpy' is not declared; mlrepro_variants declares device"),
        ("device", " , ", "it names nothing"),
        ("", "device", "declare what results may depend on first"),
    ],
)
def test_wrong_keys_end_the_run_with_their_names(project: Project, ini: str, asked: str | None, words: str) -> None:
    project.pytester.makeini(
        f"[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\nmlrepro_variants = {ini}\n"
    )
    project.write("def test_a(golden):\n    golden.check(1)\n")
    result = project.run(*([f"--golden-variant={asked}"] if asked is not None else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str() + result.stdout.str()


def test_folders_of_variants_are_short_differ_and_say_their_values() -> None:
    names = {
        leaf(test, "test_m.py", variant)
        for test in ("test_a", "test_a" * 50, "TEST_A")
        for variant in (
            {},
            {"device": "cuda"},
            {"gpu": "cuda"},
            {"device": "cuda", "numpy": "2"},
            {"gpu": "NVIDIA H100 / 80"},
        )
    }
    assert len(names) == 15
    assert all(map(is_leaf, names))
    assert leaf("test_a", "test_m.py", {"device": "cuda", "numpy": "2"}).startswith("test_a-cuda-2-")


def test_the_values_are_those_of_this_machine() -> None:
    keys = variants.declared_keys("device, gpu, machine, system, blas, python")
    found = variants.present_values(keys)
    assert list(found) == list(keys)
    assert found["device"] in ("cpu", "cuda", "rocm", "mps", "xpu")
    assert found["machine"] in ("x86_64", "arm64", "ppc64le", "s390x", "riscv64")
    assert found["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found["blas"] in variants.LIBRARIES
    assert (
        variants.present_values(variants.declared_keys("numpy pytest"))["pytest"]
        == pytest.__version__.partition(".")[0]
    )


@pytest.mark.parametrize(
    ("text", "major"), [("2.13.0+cu130", "2"), ("0.20.3", "0.20"), ("1!3.0", "3"), ("26.8", "26"), ("weird", "weird")]
)
def test_a_version_below_one_counts_by_its_minor_version(
    monkeypatch: pytest.MonkeyPatch, text: str, major: str
) -> None:
    monkeypatch.setattr(variants, "version", lambda name: text)
    assert variants._major("anything") == major


def test_what_this_machine_is_is_asked_before_the_first_test_and_only_for_goldens(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    device = lambda: asked.append(os.environ.get("PYTEST_CURRENT_TEST", "before")) or "cpu"  # noqa: E731
    monkeypatch.setattr(variants, "_ASKED", {**variants._ASKED, "device": device})
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    project.pytester.makeini(INI)
    project.write("def test_plain():\n    pass\n")
    project.run().assert_outcomes(passed=1)
    assert asked == []
    write(project, 1.0)
    project.record()
    assert asked == ["before"]


def test_keys_come_in_the_order_of_the_declaration() -> None:
    assert variants.named_keys("numpy,device", ("device", "blas", "numpy")) == ("device", "numpy")
    with pytest.raises(UsageError, match="not declared"):
        variants.named_keys("torch", ("device",))


def test_parallel_recording_of_a_variant_gives_the_same_bytes(several: Project) -> None:
    pytest.importorskip("xdist")
    args = ["--golden=record", "--golden-variant=python"]
    several.pytester.makeini(INI.replace("device, machine, blas, numpy", "python"))
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "SOURCE_DATE_EPOCH": "0"}

    def recorded(*more: str) -> dict[str, bytes]:
        for path in several.goldens():
            if "-3-" in path.parent.name:
                for file in path.parent.iterdir():
                    file.unlink()
        subprocess.run([sys.executable, "-m", "pytest", *args, *more], cwd=several.root, env=env, check=True)
        return {name: data for name, data in several.stored().items() if "-3-" in Path(name).parent.name}

    serial = recorded()
    assert len(serial) >= 4
    assert recorded("-p", "xdist", "-n2") == serial
    assert all(store.problems(path.parent) == [] for path in several.goldens())


def test_the_record_and_the_page_of_a_run_name_the_variant(several: Project, here) -> None:
    here["device"] = "cuda"
    several.run("--golden=record", "--golden-variant=device", "-k", "test_a").assert_outcomes(passed=1)
    several.run("--mlrepro-json=r.jsonl", "--mlrepro-report=r.html").assert_outcomes(passed=2)
    lines = [json.loads(line) for line in (several.root / "r.jsonl").read_text("utf-8").splitlines()]
    assert {(line["test"].rpartition("::")[2], line["variant"]) for line in lines} == {
        ("test_a", "device=cuda"),
        ("test_b", ""),
    }
    assert (several.root / "r.html").read_text("utf-8").count("golden for device=cuda") == 2
