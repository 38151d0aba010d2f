"""A tiny project on disk, and runs of pytest in it."""

from __future__ import annotations

import os
import secrets
import uuid
from pathlib import Path

import numpy as np
import numpy.random
import pytest

import pytest_mlrepro.golden.case
import pytest_mlrepro.golden.contracting
import pytest_mlrepro.golden.drifting
import pytest_mlrepro.golden.pending
import pytest_mlrepro.golden.ratcheting
import pytest_mlrepro.integration.adversarial
import pytest_mlrepro.integration.contracts
import pytest_mlrepro.integration.drifting
import pytest_mlrepro.integration.pipelines
import pytest_mlrepro.integration.robustness
import pytest_mlrepro.pipeline.stored_tables
import pytest_mlrepro.provenance.gather
import pytest_mlrepro.seeding
import pytest_mlrepro.tracking

KEPT = (
    *(np.random, numpy.random, secrets, uuid, pytest_mlrepro.golden.pending, pytest_mlrepro.golden.case),
    *(pytest_mlrepro.provenance.gather, pytest_mlrepro.seeding, pytest_mlrepro.tracking),
    *(pytest_mlrepro.golden.contracting, pytest_mlrepro.integration.contracts),
    *(pytest_mlrepro.golden.drifting, pytest_mlrepro.integration.drifting),
    *(pytest_mlrepro.integration.pipelines, pytest_mlrepro.pipeline.stored_tables),
    *(pytest_mlrepro.integration.adversarial, pytest_mlrepro.integration.robustness, pytest_mlrepro.golden.ratcheting),
)
"""Imported here, since pytester forgets what an inner run imports, and numpy can be imported only once."""

MODEL = """
import secrets
import uuid

import numpy as np
import numpy.random
import secrets
import uuid

import numpy as np
import numpy.random
import pytest

import pytest_mlrepro.golden.case
import pytest_mlrepro.golden.pending
import pytest_mlrepro.provenance.gather
import pytest_mlrepro.seeding
import pytest_mlrepro.tracking

def test_model(golden):
    golden.check(np.arange(6.0).reshape(2, 3), "weights")
    golden.check({"loss": 0.25, "epochs": 3}, "metrics")
"""


class Project:
    """A project with tests, and runs of pytest in it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester, self.root = pytester, pytester.path
        pytester.makeini("[pytest]\naddopts = -p pytest_mlrepro.plugin -p no:cacheprovider\n")

    def write(self, text: str, name: str = "test_m.py") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + self._tick()))
        for cache in self.root.rglob("__pycache__"):
            for compiled in cache.iterdir():
                compiled.unlink()
        return path

    def _tick(self) -> int:
        self.ticks = getattr(self, "ticks", 0) + 2_000_000_000
        return self.ticks

    def run(self, *args: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(*args)

    def record(self, *args: str) -> pytest.RunResult:
        result = self.run("--golden=record", *args)
        assert result.ret == 0, result.stdout.str()
        return result

    def goldens(self) -> list[Path]:
        return sorted(self.root.rglob("golden.json"))

    def golden(self) -> Path:
        (path,) = [path for path in self.goldens() if ".mlrepro" not in path.parts]
        return path

    def stored(self) -> dict[str, bytes]:
        """Return every file under a golden folder, by relative path."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "__golden__" in path.parts and ".mlrepro" not in path.parts
        }
