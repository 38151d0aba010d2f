"""Every field of the environment: planted differences show in their field, and only there."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pytest_mlrepro.fingerprints.environment import environment_of, fingerprint_environment
from pytest_mlrepro.fingerprints.environment import machine as machine_module
from pytest_mlrepro.fingerprints.environment.facts import Fact, ask
from pytest_mlrepro.fingerprints.environment.interpreter import interpreter_facts
from pytest_mlrepro.fingerprints.environment.packages import package_facts
from pytest_mlrepro.fingerprints.environment.pools import _controller, pool_facts
from pytest_mlrepro.fingerprints.environment.torch_state import torch_facts
from pytest_mlrepro.fingerprints.environment.variables import counts, variable_facts

ROOT = Path(__file__).parents[2]
SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "NVPL_BLAS_DEBUG_CPU_TYPE",
    "TZ",
    "MKL_NUM_THREADS",
)
IMPORTS = "import numpy"
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
needs_sklearn = pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
needs_pools = pytest.mark.skipif(importlib.util.find_spec("threadpoolctl") is None, reason="needs threadpoolctl")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
CHILD = """
import json
{code}
from pytest_mlrepro.fingerprints.environment import fingerprint_environment
whole = fingerprint_environment()
print(json.dumps([whole.digest, {{name: [part.digest, part.kind, part.text] for name, part in whole.parts}}]))
"""


def child(code: str = IMPORTS, *, options: tuple[str, ...] = (), cwd: Path = ROOT, **env: str) -> tuple[str, dict]:
    """Return digest and fields of a fresh process; variables that this machine happens to set are left out."""
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", CHILD.format(code=code)],
        env={**inherited, "PYTHONPATH": str(ROOT), **env},
        cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    digest, fields = json.loads(done.stdout.splitlines()[-1])
    return digest, fields


def differing(one: tuple[str, dict], two: tuple[str, dict]) -> set[str]:
    """Return the names of the fields that differ; the digests of the wholes must agree with that."""
    names = {name for name in {*one[1], *two[1]} if one[1].get(name) != two[1].get(name)}
    kinds = {side[1][name][1] for side in (one, two) for name in names if name in side[1]}
    assert (one[0] == two[0]) == ("environment.numeric" not in kinds)
    return names


def texts(facts: object) -> dict[str, str]:
    return {fact.name: fact.text for fact in facts}


@pytest.fixture(scope="module")
def plain() -> tuple[str, dict]:
    return child()


def test_two_processes_have_the_same_environment(plain: tuple[str, dict]) -> None:
    assert differing(plain, child(PYTHONDONTWRITEBYTECODE="", HOME="/nowhere", SOME_SECRET="x")) == set()


def test_every_field_has_an_answer_and_a_known_kind(plain: tuple[str, dict]) -> None:
    assert {"Python", "platform", "C library", "CPU", "CPUs", "package numpy", "numpy CPU dispatch"} <= plain[1].keys()
    assert {kind for _, kind, _ in plain[1].values()} == {"environment.numeric", "environment.other"}
    assert [name for name, (_, _, text) in plain[1].items() if text in ("", "unknown")] == []


@needs_pools
def test_fewer_threads_show_in_the_variable_and_in_the_pools() -> None:
    found = differing(child(OMP_NUM_THREADS="2"), child(OMP_NUM_THREADS="1"))
    assert found == {"variable OMP_NUM_THREADS", "BLAS of numpy"}


@linux
@needs_pools
@pytest.mark.skipif(platform.machine() != "x86_64", reason="names processors of x86-64")
def test_another_kernel_of_the_blas_shows() -> None:
    found = differing(child(OPENBLAS_CORETYPE="Nehalem"), child(OPENBLAS_CORETYPE="Sandybridge"))
    assert found == {"variable OPENBLAS_CORETYPE", "BLAS of numpy"}


@linux
def test_a_switched_off_instruction_set_of_numpy_shows(plain: tuple[str, dict]) -> None:
    features = plain[1]["numpy CPU dispatch"][2].split()
    if "avx512f" not in features:
        pytest.skip("no AVX-512 to switch off")
    names = "import numpy._core._multiarray_umath as core" if plain[1]["package numpy"][2] >= "2" else ""
    options = child_dispatch(names)
    disabled = child(NPY_DISABLE_CPU_FEATURES=" ".join(options))
    assert differing(plain, disabled) == {"numpy CPU dispatch", "variable NPY_DISABLE_CPU_FEATURES"}
    assert "avx512_skx" not in disabled[1]["numpy CPU dispatch"][2].split()


def child_dispatch(code: str) -> list[str]:
    """Return numpy's own names of what it dispatches to and may be switched off."""
    words = "print([name for name in core.__cpu_dispatch__ if 'AVX512' in name or name == 'X86_V4'])"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{words}"], capture_output=True, text=True, check=True)
    return eval(done.stdout)


def test_another_time_zone_shows_and_another_name_of_the_same_one_does_not(plain: tuple[str, dict]) -> None:
    berlin, utc = child(TZ="Europe/Berlin"), child(TZ="UTC")
    assert differing(utc, berlin) == {"time zone"}
    assert berlin[1]["time zone"][2] == "Europe/Berlin"
    assert child(TZ="Zulu")[0] == utc[0]


def test_summer_time_counts_even_where_january_is_alike() -> None:
    assert differing(child(TZ="Europe/Berlin"), child(TZ="Africa/Lagos")) == {"time zone"}


def test_removed_asserts_show(plain: tuple[str, dict]) -> None:
    assert differing(plain, child(options=("-O",))) == {"assert statements"}


def test_another_text_encoding_shows() -> None:
    found = differing(
        child(PYTHONUTF8="1"), child(PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", LC_ALL="POSIX", LANG="POSIX")
    )
    assert found == {"text encoding"}


def test_a_locale_that_the_program_chose_shows_and_a_mere_variable_does_not(plain: tuple[str, dict]) -> None:
    assert differing(plain, child(LC_NUMERIC="C.UTF-8")) == set()
    chosen = child("import numpy, locale; locale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')")
    assert differing(plain, chosen) == {"locale"}


@linux
def test_fewer_processors_show() -> None:
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one processor")
    pinned = f"import os; os.sched_setaffinity(0, {{{cpus[0]}}}); {IMPORTS}"
    assert "CPUs" in differing(child(), child(pinned))


def test_another_host_and_kernel_change_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint_environment()
    monkeypatch.setattr(machine_module.platform, "node", lambda: "another")
    monkeypatch.setattr(machine_module.platform, "release", lambda: "9.9.9")
    after = fingerprint_environment()
    changed = {name for name, part in after.parts if part.digest != dict(before.parts)[name].digest}
    assert changed == {"host", "kernel"}
    assert after.digest == before.digest


def test_the_host_is_never_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module.platform, "node", lambda: "annas-laptop")
    assert "annas-laptop" not in str([part.text for _, part in fingerprint_environment().parts])


def test_no_variable_but_those_that_change_results_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hunter2"
    names = (
        *("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "TF_VAR_password", "TF_TOKEN_app_terraform_io", "TORCH_HOME", "MKL_TOKEN"),
        *("CUDA_PATH", "JAX_COMPILATION_CACHE_DIR", "NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "OMP_TOOL_LIBRARIES"),
        *("GITHUB_TOKEN", "USER", "HOME", "SSH_AUTH_SOCK", "MLFLOW_TRACKING_PASSWORD", "XLA_SECRET", "NCCL_SOCKET_IFNAME"),
        *("TORCHINDUCTOR_REMOTE_CACHE_URL", "MKL_VERBOSE", "OMP_DISPLAY_ENV"),
    )  # fmt: skip
    for name in names:
        monkeypatch.setenv(name, secret)
    assert secret not in str([(name, part.text) for name, part in fingerprint_environment().parts])
    assert [name for name in names if counts(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        *("OMP_NUM_THREADS", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"),
        *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "CUBLAS_WORKSPACE_CONFIG", "XLA_FLAGS"),
        *("CUDA_VISIBLE_DEVICES", "PYTHONHASHSEED", "NVIDIA_TF32_OVERRIDE", "TF_DETERMINISTIC_OPS", "KMP_DETERMINISTIC_REDUCTION"),
        *("TF_ENABLE_ONEDNN_OPTS", "MALLOC_PERTURB_", "JAX_ENABLE_X64", "POLARS_MAX_THREADS", "GLIBC_TUNABLES", "LD_PRELOAD"),
        *("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NUMEXPR_MAX_THREADS", "SKLEARN_WORKING_MEMORY", "TORCHINDUCTOR_MAX_AUTOTUNE"),
    ],
)  # fmt: skip
def test_a_variable_that_changes_results_shows_when_set_changed_and_empty(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = set()
    for value in (None, "", "1", "2"):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        digests.add(environment_of(variable_facts()).digest)
    assert len(digests) == 4


def test_preloaded_libraries_are_told_by_name_without_their_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/home/anna/lib/libjemalloc.so:/opt/b.so")
    assert texts(variable_facts())["variable LD_PRELOAD"] == "libjemalloc.so:b.so"


def test_a_long_variable_is_cut_for_people_and_counts_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "a" * 500)
    one = environment_of(variable_facts())
    monkeypatch.setenv("XLA_FLAGS", "a" * 499 + "b")
    two = environment_of(variable_facts())
    assert len(dict(one.parts)["variable XLA_FLAGS"].text) == 120
    assert one.digest != two.digest


def test_loaded_packages_are_named_with_their_versions(plain: tuple[str, dict]) -> None:
    from importlib.metadata import version

    assert plain[1]["package numpy"][2] == version("numpy")
    assert plain[1]["package blake3"][1] == "environment.other"
    assert not {"package scikit-learn", "package pandas", "package pip"} & plain[1].keys()


@needs_sklearn
def test_packages_are_found_for_modules_of_another_name() -> None:
    from importlib.metadata import version

    fields = child("import sklearn")[1]
    for name in ("scikit-learn", "scipy", "joblib", "threadpoolctl"):
        assert fields[f"package {name}"][2] == version(name)


def test_tools_for_tests_can_t_change_numbers_and_seeding_plugins_can() -> None:
    kinds = {fact.name: fact.numeric for fact in package_facts()}
    assert not kinds["package pytest"]
    assert not kinds["package pluggy"]
    assert kinds["package numpy"]
    assert kinds["package pytest-mlrepro"]


def install(folder: Path, name: str, version: str, modules: dict[str, str], lists: dict[str, str]) -> None:
    for path, text in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    for path, text in lists.items():
        (info / path).write_text(text, "utf-8")


def test_odd_installations_are_understood(tmp_path: Path) -> None:
    install(
        tmp_path,
        "Odd_Name",
        "1.0+cu12",
        {"weird/__init__.py": ""},
        {"RECORD": 'weird/__init__.py,sha256=x,0\n"q,x",,\n'},
    )
    install(tmp_path, "single.file", "2.0", {"lonely.py": ""}, {"top_level.txt": "lonely\n"})
    install(
        tmp_path, "space-a".replace("-", "_"), "3.0", {"space/a/__init__.py": ""}, {"RECORD": "space/a/__init__.py,,\n"}
    )
    install(tmp_path, "nolists", "4.0", {"nolists/__init__.py": ""}, {})
    install(tmp_path, "stranger", "5.0", {"elsewhere.py": ""}, {"RECORD": ""})
    (tmp_path / "mine.py").write_text("", "utf-8")
    code = f"import sys; sys.path.append({str(tmp_path)!r}); import weird, lonely, space.a, nolists, elsewhere, mine"
    fields = child(code)[1]
    mine = {name: fields[name][2] for name in fields if fields[name][2] in ("1.0+cu12", "2.0", "3.0", "4.0", "5.0")}
    assert mine == {
        "package odd-name": "1.0+cu12",
        "package single-file": "2.0",
        "package space-a": "3.0",
        "package nolists": "4.0",
    }
    assert "package mine" not in fields


def test_a_package_that_is_replaced_while_it_is_loaded_keeps_its_version(tmp_path: Path) -> None:
    install(tmp_path, "swapped", "1.0", {"swapped/__init__.py": ""}, {})
    code = f"""
        import os, sys
        sys.path.append({str(tmp_path)!r})
        import swapped
        from pytest_mlrepro.fingerprints.environment import fingerprint_environment
        fingerprint_environment()
        os.chdir({str(tmp_path)!r})
        os.rename("swapped-1.0.dist-info", "swapped-2.0.dist-info")
    """
    assert child(textwrap.dedent(code))[1]["package swapped"][2] == "1.0"


def test_a_package_that_is_installed_meanwhile_is_found(tmp_path: Path) -> None:
    install(tmp_path, "early", "1.0", {"early.py": ""}, {})
    install(tmp_path / "later", "late", "2.0", {"late.py": ""}, {})
    code = f"""
        import os, sys
        sys.path.append({str(tmp_path)!r})
        import early
        from pytest_mlrepro.fingerprints.environment import fingerprint_environment
        fingerprint_environment()
        os.chdir({str(tmp_path)!r})
        for name in os.listdir("later"):
            os.rename(os.path.join("later", name), name)
        import importlib; importlib.invalidate_caches()
        import late
    """
    assert child(textwrap.dedent(code))[1]["package late"][2] == "2.0"


@needs_sklearn
def test_variables_that_a_library_sets_for_itself_are_left_out() -> None:
    assert [name for name in child("import sklearn")[1] if name.startswith("variable KMP_")] == []


def test_asking_imports_no_library_of_numbers() -> None:
    code = """
        import sys, pytest_mlrepro.fingerprints.environment as environment
        before = {name.partition(".")[0] for name in sys.modules}
        environment.fingerprint_environment()
        after = {name.partition(".")[0] for name in sys.modules} - before - sys.stdlib_module_names
        print(sorted(after - {"threadpoolctl"}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


@needs_torch
def test_asking_torch_imports_none_of_its_parts_and_leaves_its_threads_free_to_set() -> None:
    code = """
        import sys, torch
        before = {name for name in sys.modules if name.startswith("torch")}
        from pytest_mlrepro.fingerprints.environment import fingerprint_environment
        fingerprint_environment()
        assert {name for name in sys.modules if name.startswith("torch")} == before
        torch.set_num_interop_threads(1)
        torch.set_num_threads(1)
        assert not torch.cuda.is_initialized()
    """
    assert child(textwrap.dedent(code))[1]["torch threads"][2] == "1 inside an operation, 1 between operations"


@needs_torch
def test_torch_s_build_and_kernels_show() -> None:
    fields = child("import torch")[1]
    assert "oneDNN" in fields["torch build"][2]
    assert fields["package torch"][2].startswith("2.")
    assert [name for name in fields if name.startswith("torch") and fields[name][2] in ("", "unknown")] == []


@needs_torch
@linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="names instruction sets of x86-64")
def test_another_instruction_set_of_torch_shows() -> None:
    default, lower = child("import torch"), child("import torch", ATEN_CPU_CAPABILITY="default")
    assert differing(default, lower) == {"torch CPU kernels", "variable ATEN_CPU_CAPABILITY"}


@needs_torch
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("torch.set_num_threads(1 if torch.get_num_threads() > 1 else 2)", "torch threads"),
        ("torch.use_deterministic_algorithms(True)", "torch switches"),
        ("torch.backends.cudnn.benchmark = True", "torch switches"),
        ("torch.backends.mkldnn.enabled = False", "torch switches"),
        ("torch.set_float32_matmul_precision('high')", "torch float32 precision"),
        ("torch.backends.cudnn.conv.fp32_precision = 'ieee'", "torch float32 precision"),
        ("torch.set_default_dtype(torch.float64)", "torch defaults"),
        ("torch.set_default_device('meta')", "torch defaults"),
        ("torch.set_flush_denormal(True)", "subnormal floats"),
    ],
)
def test_a_switch_of_torch_shows(change: str, field: str) -> None:
    found = differing(child("import torch"), child(f"import torch\n{change}"))
    also = {
        "OpenMP of torch",
        "package sympy",
        "package mpmath",
    }  # torch's own compiler is loaded by one of the switches
    assert found - also == {field}


@needs_torch
def test_mixed_ways_to_set_the_precision_of_torch_break_nothing() -> None:
    mixed = (
        "import torch; torch.backends.cuda.matmul.fp32_precision = 'tf32'; torch.set_float32_matmul_precision('high')"
    )
    assert "cuda matmul tf32" in child(mixed)[1]["torch float32 precision"][2]


def fake_torch(*, started: bool, newer: bool = True) -> ModuleType:
    """A build of torch for CUDA, of which only what is asked exists."""
    torch = ModuleType("torch")
    core = SimpleNamespace(
        _get_cublas_allow_tf32=lambda: True,
        _get_cudnn_allow_tf32=lambda: False,
        _get_deterministic_algorithms=lambda: True,
    )
    if newer:
        core._get_fp32_precision_getter = lambda backend, operation: "ieee"
    facts = SimpleNamespace(name="NVIDIA H100 80GB HBM3", major=9, minor=0, multi_processor_count=132)

    def refuse() -> int:
        raise AssertionError("asked a device that was not started")

    vars(torch).update(
        _C=core,
        default_generator=None,
        __config__=SimpleNamespace(show=lambda: "  - Intel(R) MKL-DNN v3.7.1 (Git Hash x)\n"),
        version=SimpleNamespace(cuda="12.6", hip=None),
        cuda=SimpleNamespace(
            is_initialized=lambda: started,
            device_count=(lambda: 2) if started else refuse,
            get_device_properties=lambda number: facts,
        ),
        backends=SimpleNamespace(
            cpu=SimpleNamespace(get_cpu_capability=lambda: "AVX2"), cudnn=SimpleNamespace(version=lambda: 90501)
        ),
        get_num_threads=lambda: 4,
        get_num_interop_threads=lambda: 8,
        get_default_dtype=lambda: "torch.float32",
        get_float32_matmul_precision=lambda: "highest",
    )
    return torch


def test_gpus_are_told_once_they_are_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", fake_torch(started=True))
    found = texts(torch_facts())
    assert found["CUDA"] == "CUDA 12.6, cuDNN 90501"
    assert found["GPU 1"] == "NVIDIA H100 80GB HBM3, capability 9.0, 132 multiprocessors"
    assert "unknown" not in found.values()


def test_gpus_are_left_alone_until_the_program_starts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", fake_torch(started=False))
    assert not {"CUDA", "GPU 0"} & texts(torch_facts()).keys()


def test_an_older_torch_tells_its_precision_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", fake_torch(started=True, newer=False))
    assert texts(torch_facts())["torch float32 precision"] == "matmul highest, matmul TF32 on, cuDNN TF32 off"


def test_a_half_imported_or_broken_torch_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    assert list(torch_facts()) == []
    broken = fake_torch(started=True)
    broken.get_num_threads = lambda: 1 / 0
    monkeypatch.setitem(sys.modules, "torch", broken)
    assert texts(torch_facts())["torch threads"] == "unknown"


def test_without_threadpoolctl_numpy_says_what_it_was_built_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    _controller.cache_clear()
    found = texts(pool_facts())
    assert "blas" in found["BLAS of numpy, as built"]
    assert "unknown" not in found.values()


def test_a_machine_without_proc_is_described_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (machine_module._cpu, machine_module._features, machine_module._cpuinfo):
        function.cache_clear()
    monkeypatch.setattr(
        machine_module, "open", lambda *a, **k: (_ for _ in ()).throw(FileNotFoundError()), raising=False
    )
    found = texts(machine_module.machine_facts())
    assert found["CPU features"] == "not told by the system"
    assert found["CPU"]
    for function in (machine_module._cpu, machine_module._features, machine_module._cpuinfo):
        function.cache_clear()


ARM = b"""processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd evtstrm asimdhp sve
CPU implementer\t: 0x41
CPU variant\t: 0x1
CPU part\t: 0xd40
"""


def test_a_processor_without_a_name_is_told_by_its_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_bytes(ARM)
    for function in (machine_module._cpu, machine_module._features, machine_module._cpuinfo):
        function.cache_clear()
    monkeypatch.setattr(
        machine_module, "open", lambda path, *a, **k: (tmp_path / "cpuinfo").open(*a, **k), raising=False
    )
    found = texts(machine_module.machine_facts())
    assert found["CPU"] == "ARM implementer 0x41 part 0xd40 variant 0x1"
    assert found["CPU features"] == "asimd asimdhp sve"
    for function in (machine_module._cpu, machine_module._features, machine_module._cpuinfo):
        function.cache_clear()


def test_whatever_a_question_raises_the_answer_is_unknown() -> None:
    assert ask(lambda: str(1 / 0)) == "unknown"
    assert ask(lambda: "") == "unknown"
    assert ask(lambda: "x") == "x"


def test_facts_are_sorted_and_only_numeric_ones_count() -> None:
    one = environment_of([Fact("b", "1"), Fact("a", "2"), Fact("host", "x", numeric=False)])
    two = environment_of([Fact("a", "2"), Fact("host", "y", numeric=False), Fact("b", "1")])
    assert [name for name, _ in one.parts] == ["a", "b", "host"]
    assert one.digest == two.digest
    assert one.digest != environment_of([Fact("a", "2"), Fact("b", "2")]).digest
    assert one.digest != environment_of([Fact("a", "2"), Fact("c", "1")]).digest


def test_text_for_people_counts_only_where_nothing_else_does() -> None:
    assert environment_of([Fact("z", "UTC", value="0")]).digest == environment_of([Fact("z", "Zulu", value="0")]).digest


def test_the_interpreter_is_named() -> None:
    found = texts(interpreter_facts())
    assert found["Python"].startswith(f"{sys.implementation.name.replace('cpython', 'CPython')} 3.")
    assert found["subnormal floats"] == "kept"


def documented() -> dict[str, str]:
    """Return the fields that docs/provenance.md lists, with what stands under *can change numbers*."""
    rows = re.findall(
        r"^\| (`.+?) \| .+? \| ((?:yes|no).*?) \|", (ROOT / "docs/provenance.md").read_text("utf-8"), re.MULTILINE
    )
    return {name: kind for names, kind in rows for name in re.findall(r"`(.+?)`", names)}


@pytest.mark.parametrize(
    "code", ["import numpy", pytest.param("import torch, sklearn", marks=[needs_torch, needs_sklearn])]
)
def test_every_field_stands_in_the_docs_with_its_kind(code: str) -> None:
    table = documented()
    for name, (_, kind, _) in child(code, OMP_NUM_THREADS="1")[1].items():
        family = re.sub(r"^(package|variable) .*", r"\1 NAME", name)
        family = re.sub(r"^(?:BLAS|OpenMP) of [^,]*(?:, \d)?$", "BLAS of numpy", family)
        assert family in table
        assert kind == "environment.other" if table[family] == "no" else True
        assert kind == "environment.numeric" if table[family] == "yes" else True


def test_every_documented_field_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", fake_torch(started=True))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    there = {re.sub(r"^(package|variable) .*", r"\1 NAME", name) for name, _ in fingerprint_environment().parts}
    apart = {"BLAS of numpy", "OpenMP of torch", "BLAS of numpy, as built"}  # of what is installed here
    assert set(documented()) - apart <= there
