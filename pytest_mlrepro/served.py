"""A model behind a server as a callable, so that what is deployed is tested with the checks of what was trained.

The Open Inference Protocol, version 2, over REST (KServe, MLServer, Triton, OpenVINO, TorchServe):
https://github.com/kserve/open-inference-protocol. Numbers go as JSON, which keeps each float64 to the last bit.
"""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from .errors import ServingError, UsageError

__all__ = ["ServedModel", "served"]

DATATYPES: Final = {
    "bool": "BOOL", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8",
    "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64", "float16": "FP16", "float32": "FP32", "float64": "FP64",
}  # fmt: skip
DTYPES: Final = {datatype: dtype for dtype, datatype in DATATYPES.items()}
SHOWN: Final = 300
PROBABILITIES: Final = "predict_proba"
LABELS: Final = "; a model without probabilities is attacked by its labels: give its .predict"


def served(
    url: str,
    model: str,
    *,
    version: str | None = None,
    output: str | None = None,
    squeeze: bool | None = None,
    batch: int | None = None,
    timeout: float = 30.0,
    headers: Mapping[str, str] | None = None,
) -> ServedModel:
    """Return the model `model` of the server at `url` (`http://host:port`) as a callable with `predict` and `predict_proba`.

    version: of the model; the server's choice without one.
    output: which output counts, by name; the first one without.
    squeeze: whether outputs of shape (rows, 1) become (rows,), as a local model gives them; without a word from you they
        do, unless the model's metadata says that its output has two axes.
    batch: rows of one request at most; all at once without.
    timeout: seconds that each request may take.
    headers: sent with each request, such as an authorisation.

    Nothing is sent before the first call. UsageError for an address that is none.
    """
    parts = urllib.parse.urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"served: url must be like http://localhost:8080, got {url!r}")
    if not isinstance(model, str) or not model:
        raise UsageError(f"served: model must be the name that the server knows it by, got {model!r}")
    if batch is not None and (not isinstance(batch, int) or batch < 1):
        raise UsageError(f"served: batch must be a number of rows, at least 1, got {batch!r}")
    return ServedModel(url.rstrip("/"), model, version, output, squeeze, batch, timeout, dict(headers or {}))


@dataclass(frozen=True)
class ServedModel:
    """A served model; see `served`. It can be pickled, and sent to the processes of an executor."""

    url: str
    model: str
    version: str | None
    output: str | None
    squeeze: bool | None
    batch: int | None
    timeout: float
    headers: Mapping[str, str] = field(repr=False)

    def __call__(self, inputs: Any) -> Any:
        """Return `predict(inputs)`."""
        return self.predict(inputs)

    def predict(self, inputs: Any) -> Any:
        """Return the output for these rows, a numpy array; its shape is the local model's, see `squeeze`.

        inputs: an array or tensor of shape (rows, …), or a frame, of which each column is an input of the request.
        Raises ServingError if the server can't be reached or refuses; UsageError for NaN and infinities (JSON has none).
        """
        return self._ask(inputs, self.output)

    def predict_proba(self, inputs: Any) -> Any:
        """Return the output `predict_proba`, as servers of scikit-learn models have it; shape (rows, classes)."""
        return self._ask(inputs, PROBABILITIES)

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """Return what the server says of the model: its inputs and outputs, as far as it says."""
        found = self._json(self._address(""))
        return found if isinstance(found, Mapping) else {}

    def _ask(self, inputs: Any, output: str | None) -> Any:
        import numpy as np

        rows = _rows(inputs)
        step = self.batch or max(rows, 1)
        parts = [self._part(_cut(inputs, start, start + step), output) for start in range(0, max(rows, 1), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _part(self, inputs: Any, output: str | None) -> Any:
        rows = _rows(inputs)
        request = _request(inputs, self.metadata.get("inputs") or [])
        if output is not None:
            request["outputs"] = [{"name": output}]
        answer = self._json(self._address("/infer"), request)
        return self._shaped(_chosen(answer, output, self._title), rows)

    def _shaped(self, output: Mapping[str, Any], rows: int) -> Any:
        array = _array(output, self._title)
        if array.shape[:1] != (rows,):
            raise ServingError(f"{self._title} gave {output.get('name')!r} of shape {array.shape} for {rows} rows")
        said = [o for o in self.metadata.get("outputs") or [] if o.get("name") == output.get("name")]
        two_axes = any(len(o.get("shape", ())) > 1 for o in said)
        wanted = self.squeeze if self.squeeze is not None else not two_axes
        return array.reshape(rows) if wanted and array.shape == (rows, 1) else array

    @property
    def _title(self) -> str:
        return f"the model {self.model!r} at {self.url}"

    def _address(self, end: str) -> str:
        version = f"/versions/{urllib.parse.quote(self.version, safe='')}" if self.version else ""
        return f"{self.url}/v2/models/{urllib.parse.quote(self.model, safe='')}{version}{end}"

    def _json(self, address: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json", **self.headers}
        request = urllib.request.Request(address, data, headers)  # noqa: S310  # http and https only, see `served`
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                text = answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            raise ServingError(self._refused(error, body)) from None
        except (OSError, ValueError) as error:  # also a time-out, and an answer that breaks off
            reason = getattr(error, "reason", error)
            raise ServingError(
                f"{self._title} can't be reached ({reason}): is the server up?  curl {address}"
            ) from None
        try:
            return json.loads(text)
        except ValueError:
            raise ServingError(f"{self._title} answered with something else than JSON: {_short(text)}") from None

    def _refused(self, error: urllib.error.HTTPError, body: Mapping[str, Any] | None) -> str:
        with error:
            text = error.read(10_000).decode("utf-8", "replace")
        try:
            said = json.loads(text)
            text = str(said.get("error", text)) if isinstance(said, Mapping) else text
        except ValueError:
            pass  # plain text, as servers give it when the model itself raised
        hint = f"; the server's models: curl {self.url}/v2/repository/index" if error.code == 404 else ""
        if error.code >= 500 and body is not None:
            sent = ", ".join(f"{part['name']} {part['datatype']} {part['shape']}" for part in body["inputs"][:5])
            hint = f"; it was sent {sent}, the reason stands in the server's log"
        if body is not None and body.get("outputs") == [{"name": PROBABILITIES}]:
            hint += LABELS
        return f"{self._title} refused with status {error.code}: {_short(text) or error.reason}{hint}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def _rows(inputs: Any) -> int:
    shape = getattr(inputs, "shape", None)
    return int(shape[0]) if shape else len(inputs)


def _cut(inputs: Any, start: int, stop: int) -> Any:
    if start == 0 and stop >= _rows(inputs):
        return inputs
    return inputs.iloc[start:stop] if hasattr(inputs, "iloc") else inputs[start:stop]


def _request(inputs: Any, declared: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the body of a request: one input for an array, one for each column of a frame."""
    if hasattr(inputs, "columns") and hasattr(inputs, "__getitem__"):
        tensors = [_tensor(str(name), _numpy(inputs[name]), None, column=True) for name in inputs.columns]
        return {"parameters": {"content_type": "pd"}, "inputs": tensors}
    first = declared[0] if declared else {}
    return {"inputs": [_tensor(first.get("name", "input-0"), _numpy(inputs), first.get("datatype"))]}


def _numpy(value: Any) -> Any:
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return value.to_numpy() if hasattr(value, "to_numpy") else np.asarray(value)


def _tensor(name: str, array: Any, datatype: str | None, *, column: bool = False) -> dict[str, Any]:
    import numpy as np

    if array.dtype.kind in "OUST":
        tensor = {"name": name, "datatype": "BYTES", "data": [str(text) for text in array.reshape(-1).tolist()]}
        return {**tensor, "shape": _shape(array, column), "parameters": {"content_type": "str"}}
    if datatype in DTYPES:
        array = array.astype(DTYPES[datatype])
    if array.dtype.name not in DATATYPES:
        raise UsageError(f"served: input {name!r} has dtype {array.dtype}: numbers, booleans and texts can be sent")
    if array.dtype.kind == "f":
        odd = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(1)) if array.size else np.zeros(0)
        if odd.size:
            raise UsageError(
                f"served: input {name!r} holds NaN or infinity in {odd.size} rows ({odd[:5].tolist()}), which JSON has no form for"
            )
    data = array.reshape(-1).tolist()
    return {"name": name, "datatype": DATATYPES[array.dtype.name], "shape": _shape(array, column), "data": data}


def _shape(array: Any, column: bool) -> list[int]:
    return [len(array), 1] if column else list(array.shape)


def _chosen(answer: Any, output: str | None, title: str) -> Mapping[str, Any]:
    outputs = answer.get("outputs") if isinstance(answer, Mapping) else None
    if not isinstance(outputs, list) or not outputs or not all(isinstance(found, Mapping) for found in outputs):
        raise ServingError(f"{title} answered without outputs: {_short(str(answer))}")
    named: list[Mapping[str, Any]] = [found for found in outputs if output in (None, found.get("name"))]
    if not named:
        names = ", ".join(repr(found.get("name")) for found in outputs)
        hint = LABELS if output == PROBABILITIES else ""
        raise ServingError(f"{title} has no output {output!r}: it gave {names}{hint}")
    return named[0]


def _array(output: Mapping[str, Any], title: str) -> Any:
    import numpy as np

    try:
        shape, datatype = tuple(map(int, output["shape"])), output["datatype"]
        flat = _flat(output["data"])
        if datatype == "BYTES":
            return np.array(flat, dtype=str).reshape(shape)
        if DTYPES[datatype].startswith("float"):
            flat = [math.nan if item is None else item for item in flat]  # JSON has no NaN
        return np.array(flat, dtype=DTYPES[datatype]).reshape(shape)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ServingError(f"{title} gave an output that is none ({type(error).__name__}: {error})") from None


def _flat(data: Any) -> list[Any]:
    """Return the elements in order: the protocol allows nested lists and flat ones."""
    if isinstance(data, list):
        return [item for part in data for item in (_flat(part) if isinstance(part, list) else [part])]
    raise ValueError(f"data is {type(data).__name__}, a list is expected")
