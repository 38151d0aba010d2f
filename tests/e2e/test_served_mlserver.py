"""Golden runs, robustness and drift checks against what is deployed: a real MLServer on loopback with a scikit-learn model."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mlserver", reason="the extra `serving` is not installed (it needs Python < 3.13)")
pytest.importorskip("mlserver_sklearn")
pytestmark = pytest.mark.slow

from sklearn.datasets import load_digits  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from pytest_mlrepro import Linf, assert_no_drift, assert_robust, served  # noqa: E402
from pytest_mlrepro.drift import Profile  # noqa: E402
from pytest_mlrepro.errors import ServingError  # noqa: E402

UP_WITHIN = 90  # seconds; 4 on a quiet machine


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def model() -> LogisticRegression:
    x, y = load_digits(return_X_y=True)
    return LogisticRegression(max_iter=200).fit(x / 16, y)


@pytest.fixture(scope="module")
def url(model: LogisticRegression, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    joblib = pytest.importorskip("joblib")
    folder = tmp_path_factory.mktemp("models")
    joblib.dump(model, folder / "digits.joblib")
    ports = {name: free_port() for name in ("http_port", "grpc_port", "metrics_port")}
    (folder / "settings.json").write_text(
        json.dumps({"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}), "utf-8"
    )
    (folder / "model-settings.json").write_text(
        json.dumps(
            {
                "name": "digits",
                "implementation": "mlserver_sklearn.SKLearnModel",
                "parameters": {"uri": "./digits.joblib"},
            }
        ),
        "utf-8",
    )
    command = (
        shutil.which("mlserver", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "mlserver"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([command, "start", str(folder)], stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{ports['http_port']}"
    try:
        wait_for(f"{address}/v2/models/digits/ready", server, folder / "log")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + UP_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"mlserver did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def test_what_is_served_equals_the_local_model_in_value_shape_and_dtype(url: str, model: LogisticRegression) -> None:
    x = load_digits().data[:64] / 16
    deployed = served(url, "digits")
    for rows in (64, 1):
        found, local = deployed(x[:rows]), model.predict(x[:rows])
        assert found.shape == local.shape
        assert found.dtype == local.dtype
        assert (found == local).all()
    assert (deployed.predict_proba(x) == model.predict_proba(x)).all(), "not bit-equal"


def test_the_plain_text_error_of_the_server_is_told(url: str) -> None:
    with pytest.raises(ServingError) as failure:
        served(url, "digits").predict(np.zeros((4, 3)))
    assert str(failure.value) == (
        f"the model 'digits' at {url} refused with status 500: Internal Server Error; it was sent input-0 FP64 [4, 3], "
        "the reason stands in the server's log"
    )
    with pytest.raises(ServingError, match="status 404"):
        served(url, "letters").predict(np.zeros((4, 64)))


def test_predictions_of_what_is_served_are_held_against_those_of_training(url: str, model: LogisticRegression) -> None:
    x = load_digits().data / 16
    frame = {"ink": x.mean(1)}
    then = Profile.of(frame, predictions=model.predict(x))
    assert_no_drift(frame, then, predictions=served(url, "digits", batch=500)(x), effect=0.2, correlation=0.3)
    with pytest.raises(AssertionError, match=r"\(predictions\): its distribution moved"):
        assert_no_drift(frame, then, predictions=served(url, "digits")(x * 0.1), effect=0.2, correlation=0.3)


def test_a_golden_that_was_recorded_of_the_local_model_holds_for_what_is_served(url: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_deployed.py").write_text(
        f"""import os
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from pytest_mlrepro import served

def model():
    if os.environ.get("DEPLOYED"):
        return served({url!r}, "digits")
    x, y = load_digits(return_X_y=True)
    return LogisticRegression(max_iter=200).fit(x / 16, y)

def test_probabilities(golden):
    golden.check(model().predict_proba(load_digits().data[:20] / 16), "probabilities", rtol=1e-9, atol=0)
""",
        "utf-8",
    )
    for option, variables in (("--golden=record", {}), ("--golden=check", {"DEPLOYED": "1"})):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_mlrepro.plugin", option],
            cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True, check=False, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_robustness_of_what_is_served_is_that_of_the_local_model(url: str, model: LogisticRegression) -> None:
    x, y = load_digits(return_X_y=True)
    x, y = x[:48] / 16, y[:48]
    threat = Linf(0.03, bounds=(0, 1))
    reports = [
        assert_robust(
            of, x, y, threat, min_accuracy=0.5, attacks="fast", complete=True, allow=("undecided", "unreliable")
        )
        for of in (served(url, "digits"), BlackBox(model))
    ]
    deployed, local = reports
    assert deployed.clean_accuracy == local.clean_accuracy
    assert deployed.robust_accuracy == local.robust_accuracy
    assert deployed.evaluations == local.evaluations
    assert deployed.evaluations > len(x), "no attack was run"
    with pytest.raises(AssertionError, match="robust accuracy") as failure:
        assert_robust(served(url, "digits"), x, y, Linf(0.3, bounds=(0, 1)), min_accuracy=0.9)
    assert "48" in str(failure.value)


class BlackBox:
    """The local model without its weights, as little known as the one behind the server."""

    def __init__(self, model: LogisticRegression) -> None:
        self.predict, self.predict_proba = model.predict, model.predict_proba


def test_the_fixture_attacks_what_is_served(url: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "test_deployed.py").write_text(
        f"""from sklearn.datasets import load_digits
from pytest_mlrepro import Linf, served

def test_deployed(robustness):
    x, y = load_digits(return_X_y=True)
    robustness.check(served({url!r}, "digits"), x[:24] / 16, y[:24], Linf(0.3, bounds=(0, 1)), min_accuracy=0.9)
""",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_mlrepro.plugin"],
        cwd=tmp_path, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "robust accuracy" in done.stdout, done.stdout
    assert "Error" not in done.stdout.replace("AssertionError", ""), done.stdout
