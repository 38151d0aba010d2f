"""What a pipeline needs to know of the test around it: its project, its files, its seed, and where outputs are stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..fingerprints import Fingerprint
from ..golden.case import GoldenCase
from ..pipeline.after import Surroundings
from ..pipeline.cache import StepCache
from ..pipeline.recorder import Pipeline
from .markers import Plan
from .properties import CACHED, named

if TYPE_CHECKING:
    from ..provenance.gather import Sources
    from ..tracking import Tracking

__all__ = ["open_pipeline"]


def open_pipeline(
    golden: GoldenCase,
    sources: Sources,
    item: pytest.Item,
    plan: Plan | None,
    tracking: Callable[[], AbstractContextManager[Tracking]] | None,
) -> Pipeline:
    """Return the pipeline of a test."""

    def file(path: Path) -> tuple[str, Fingerprint]:
        return sources.name(path), sources.fingerprint(path, "data")

    recording = golden.checking.mode != "check"
    cache = StepCache(
        sources.root / ".mlrepro" / "cache" / "steps",
        seed=plan.seed if plan is not None else 0,
        entropy=plan.entropy if plan is not None else "seed",
        deterministic=plan is not None and plan.deterministic,
        read=not golden.checking.is_held,  # a stored output would make any step look as if it repeats
        write=not golden.checking.silent,
        notify=lambda step, event: item.user_properties.append((named(CACHED, step), event)),
    )
    around = Surroundings((sources.root,), tracking, file, cache, memory=recording and not golden.checking.silent)
    return Pipeline(golden.steps, around)
