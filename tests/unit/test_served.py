"""A served model as a callable: against a server of the test's own, for all that a server may answer."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from pytest_mlrepro import Linf, UsageError, assert_robust, served
from pytest_mlrepro.errors import ServingError

Answer = tuple[int, str, str]


class Loopback(ThreadingHTTPServer):
    """A server that answers as it is told, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Any] = []
        self.metadata: dict[str, Any] = {"name": "m", "inputs": [], "outputs": []}
        self.infer: Callable[[dict[str, Any]], Answer] = lambda body: output(
            "predict", "INT64", [body["inputs"][0]["shape"][0], 1]
        )

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that gave up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Loopback

    def do_GET(self) -> None:
        known = self.path == "/v2/models/m"
        self.answer(
            200 if known else 404,
            "application/json",
            json.dumps(self.server.metadata if known else {"error": "unknown"}),
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, dict(self.headers)))
        self.answer(*self.server.infer(body))

    def answer(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def output(name: str, datatype: str, shape: list[int], data: Any = None) -> Answer:
    size = int(np.prod(shape))
    one = {"name": name, "datatype": datatype, "shape": shape, "data": list(range(size)) if data is None else data}
    return 200, "application/json", json.dumps({"model_name": "m", "outputs": [one]})


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_an_output_of_one_column_has_the_shape_of_a_local_model(server: Loopback) -> None:
    model = served(server.url, "m")
    for rows in (64, 1):
        found = model(np.zeros((rows, 4)))
        assert found.shape == (rows,)
        assert found.dtype == np.int64
    assert served(server.url, "m", squeeze=False).predict(np.zeros((64, 4))).shape == (64, 1)
    server.infer = lambda _: output("predict_proba", "FP64", [8, 2])
    assert model.predict_proba(np.zeros((8, 4))).shape == (8, 2)


def test_metadata_with_two_axes_keeps_them(server: Loopback) -> None:
    server.metadata = {"name": "m", "outputs": [{"name": "predict", "datatype": "INT64", "shape": [-1, 1]}]}
    assert served(server.url, "m").predict(np.zeros((64, 4))).shape == (64, 1)
    assert served(server.url, "m", squeeze=True).predict(np.zeros((64, 4))).shape == (64,)


def test_floats_go_and_come_back_to_the_last_bit(server: Loopback) -> None:
    server.infer = lambda body: output("out", "FP64", body["inputs"][0]["shape"], body["inputs"][0]["data"])
    values = np.random.default_rng(0).normal(size=(50, 3)) * 10.0 ** np.arange(-150, 150, 100)
    assert (served(server.url, "m").predict(values) == values).all()


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "bool", "float16"])
def test_each_dtype_has_its_name_in_the_protocol(server: Loopback, dtype: str) -> None:
    server.infer = lambda body: output(
        "out", body["inputs"][0]["datatype"], body["inputs"][0]["shape"], body["inputs"][0]["data"]
    )
    values = np.array([[0, 1], [1, 0]]).astype(dtype)
    found = served(server.url, "m").predict(values)
    assert found.dtype == values.dtype
    assert (found == values).all()


def test_what_the_metadata_says_of_the_input_is_followed(server: Loopback) -> None:
    server.metadata = {"name": "m", "inputs": [{"name": "pixels", "datatype": "FP32", "shape": [-1, 4]}]}
    served(server.url, "m").predict(np.zeros((2, 4)))
    (_, body, _), *_ = server.asked
    assert body["inputs"][0] == {"name": "pixels", "datatype": "FP32", "shape": [2, 4], "data": [0.0] * 8}


def test_a_frame_is_sent_column_by_column(server: Loopback) -> None:
    pd = pytest.importorskip("pandas")
    served(server.url, "m").predict(pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}))
    (_, body, _), *_ = server.asked
    assert [(part["name"], part["datatype"], part["shape"], part["data"]) for part in body["inputs"]] == [
        ("a", "FP64", [2, 1], [1.5, 2.5]),
        ("b", "BYTES", [2, 1], ["x", "y"]),
    ]


def test_batches_version_headers_and_pickles(server: Loopback) -> None:
    model = served(server.url, "m", batch=4, headers={"Authorization": "Bearer 1"}, squeeze=True)
    model = pickle.loads(pickle.dumps(model))
    assert model.predict(np.zeros((10, 2))).shape == (10,)
    assert [body["inputs"][0]["shape"][0] for _, body, _ in server.asked] == [4, 4, 2]
    assert server.asked[0][2]["Authorization"] == "Bearer 1"
    with pytest.raises(ServingError, match="status 404"):
        served(server.url, "m", version="3").predict(np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, "text/plain", "X has 3 features,\n but expects 4"), "status 500: X has 3 features, but expects 4; it was sent"),
        ((400, "application/json", '{"error": "no such input"}'), "status 400: no such input"),
        ((200, "text/html", "<html>welcome</html>"), "something else than JSON: <html>welcome"),
        ((200, "application/json", "{}"), "answered without outputs"),
        ((200, "application/json", '{"outputs": [3]}'), "answered without outputs"),
        (output("predict", "INT64", [3]), r"of shape \(3,\) for 2 rows"),
        (output("predict", "INT64", [2], [1, 2, 3]), "an output that is none"),
        (output("predict", "COMPLEX", [2]), "an output that is none"),
        (output("predict", "INT64", [2], "text"), "a list is expected"),
    ],
)  # fmt: skip
def test_what_breaks_the_protocol_is_told_with_the_server_s_words(server: Loopback, answer: Answer, words: str) -> None:
    server.infer = lambda _: answer
    with pytest.raises(ServingError, match=words):
        served(server.url, "m").predict(np.zeros((2, 4)))


def test_a_long_answer_is_clipped(server: Loopback) -> None:
    server.infer = lambda _: (500, "text/plain", "x" * 100_000)
    with pytest.raises(ServingError) as failure:
        served(server.url, "m").predict(np.zeros((2, 4)))
    assert len(str(failure.value)) < 600


def test_an_unknown_model_and_a_server_that_is_down(server: Loopback) -> None:
    with pytest.raises(ServingError, match=r"'other' at http://127.*status 404: unknown; the server's models: curl"):
        served(server.url, "other").predict(np.zeros((2, 4)))
    with pytest.raises(ServingError, match="can't be reached"):
        served("http://127.0.0.1:1", "m", timeout=2).predict(np.zeros((2, 4)))


def test_a_slow_server_is_given_up(server: Loopback) -> None:
    release = threading.Event()

    def slow(_: object) -> Answer:
        release.wait(5)
        return output("predict", "INT64", [2])

    server.infer = slow
    with pytest.raises(ServingError, match="can't be reached"):
        served(server.url, "m", timeout=0.2).predict(np.zeros((2, 4)))
    release.set()


@pytest.mark.parametrize("url", ["localhost:8080", "file:///etc/passwd", "", None])
def test_an_address_that_is_none_is_refused(url: Any) -> None:
    with pytest.raises(UsageError, match="url must be like"):
        served(url, "m")


def test_nan_is_refused_with_its_rows(server: Loopback) -> None:
    with pytest.raises(UsageError, match=r"NaN or infinity in 1 rows \(\[1\]\)"):
        served(server.url, "m").predict(np.array([[1.0], [np.nan]]))


def test_a_model_without_probabilities_is_attacked_by_its_labels(server: Loopback) -> None:
    answers: list[Answer] = [output("predict", "INT64", [8, 1]), (500, "text/plain", "no predict_proba")]

    def infer(body: dict[str, Any]) -> Answer:
        if body.get("outputs"):
            return answers.pop()
        (given,) = body["inputs"]
        rows = np.array(given["data"]).reshape(given["shape"])
        return output("predict", "INT64", [len(rows), 1], (rows[:, 0] > 0.5).astype(int).tolist())

    server.infer = infer
    inputs = np.random.default_rng(0).random((8, 3))
    labels = (inputs[:, 0] > 0.5).astype(int)
    model = served(server.url, "m")
    for told in (
        "refused with status 500: no predict_proba; it was sent",
        "has no output 'predict_proba': it gave 'predict'",
    ):
        with pytest.raises(ServingError, match=told) as failure:
            assert_robust(model, inputs, labels, Linf(0.9), min_accuracy=0.5)
        assert str(failure.value).endswith("attacked by its labels: give its .predict")
    with pytest.raises(AssertionError, match="outputs are labels without scores"):
        assert_robust(model.predict, inputs, labels, Linf(0.9), min_accuracy=0.5)
