"""The machine as arithmetic sees it: processor, C library, operating system; and the host, which numbers don't see."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Final

from blake3 import blake3

from .facts import Fact, ask

__all__ = ["machine_facts"]

_ARITHMETIC: Final = (
    *("sse4_2", "avx", "f16c", "fma", "fma4", "avx2", "avx_vnni", "avx512f", "avx512dq", "avx512bw", "avx512vl"),
    *("avx512ifma", "avx512vbmi", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8"),
    *("neon", "asimd", "asimdhp", "asimddp", "fphp", "sve", "sve2", "svebf16", "bf16", "i8mm", "sme"),
    *("altivec", "vsx", "vx", "vxe", "lsx", "lasx"),
)
"""Flags of Linux for instructions that libraries choose their floating-point kernels by."""
_FIRST: Final = 16384
"""Bytes of /proc/cpuinfo that hold the first processor: the kernel makes the text of the others only if it is read."""


def machine_facts() -> Iterator[Fact]:
    """Yield what is known of the machine; cheap after the first call."""
    yield Fact("platform", _system())
    yield Fact("C library", _c_library())
    yield Fact("CPU", _cpu())
    yield Fact("CPU features", _features())
    yield Fact("CPUs", ask(lambda: str(_cpus())))
    yield Fact("kernel", ask(platform.release), numeric=False)
    yield _host()


@cache
def _system() -> str:
    """The release counts where the system brings the mathematics: Accelerate on macOS, the C runtime on Windows."""
    system, machine = platform.system(), platform.machine()
    if system == "Darwin":
        return f"macOS {ask(lambda: platform.mac_ver()[0])} {machine}"
    return f"Windows {ask(platform.version)} {machine}" if system == "Windows" else f"{system} {machine}"


@cache
def _c_library() -> str:
    """The name and version of what brings `exp` and `sin`; the call of POSIX is quicker than a search in the binary."""
    names = getattr(os, "confstr_names", {})
    if "CS_GNU_LIBC_VERSION" in names:
        return ask(lambda: os.confstr("CS_GNU_LIBC_VERSION") or "")
    return ask(lambda: " ".join(platform.libc_ver()).strip() or ("musl" if _is_musl() else "of the system"))


def _is_musl() -> bool:
    import sysconfig

    return "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE"))


@cache
def _cpu() -> str:
    """The model: MKL and OpenBLAS choose kernels and block sizes by it."""
    info = _cpuinfo()
    if name := info.get("model name") or info.get("cpu model") or info.get("cpu"):
        return name
    if "cpu part" in info:
        return (
            f"ARM implementer {info.get('cpu implementer')} part {info['cpu part']} variant {info.get('cpu variant')}"
        )
    return ask(_brand if sys.platform == "darwin" else platform.processor)


def _brand() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603


@cache
def _features() -> str:
    """The instructions that change arithmetic. Only Linux tells them; elsewhere numpy's and torch's own words stand."""
    info = _cpuinfo()
    there = set((info.get("flags") or info.get("features") or "").lower().split())
    return " ".join(name for name in _ARITHMETIC if name in there) or "not told by the system"


@cache
def _cpuinfo() -> dict[str, str]:
    """Return the description of the first processor, with names in lower case; empty where there is none."""
    try:
        with open("/proc/cpuinfo", "rb", buffering=0) as file:  # noqa: PTH123  # unbuffered: no more than is asked for
            text = file.read(_FIRST).decode("utf-8", "replace")
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), re.sub(r"\s+", " ", value).strip())
    return found


def _cpus() -> int | None:
    """Pools of threads and `n_jobs=-1` split their work by this number, and sums by how the work is split."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _host() -> Fact:
    """Another machine can be told from the same one, but goldens are shared: its name isn't written down."""
    name = ask(platform.node)
    mark = blake3(f"mlrepro host {name}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return Fact("host", f"#{mark}", numeric=False)
