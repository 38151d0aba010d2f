"""What all tests share: no CI, no colours and no settings of the person who runs them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *("CI", "TF_BUILD", "BUILD_NUMBER", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID", "SOURCE_DATE_EPOCH"),
        *("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITLAB_CI", "CI_PROJECT_DIR"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # for runs inside of tests: they name their plugins
