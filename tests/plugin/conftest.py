"""A tiny project of its own for each test of the plugin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.plugin.project import MODEL, Project


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)


@pytest.fixture
def model(project: Project) -> Project:
    """A project whose one test has a recorded golden of two checks."""
    project.write(MODEL)
    project.record()
    return project


@pytest.fixture
def change(model: Project) -> Callable[[str, str], None]:
    """Change the text of the model's test."""

    def replace(old: str, new: str) -> None:
        text = (model.root / "test_m.py").read_text("utf-8")
        assert old in text
        model.write(text.replace(old, new))

    return replace
