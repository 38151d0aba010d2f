"""A server that speaks S3 on loopback, and what tests of stores have in common."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_mlrepro.golden.files import file_digest
from pytest_mlrepro.golden.objects import object_file

KEY, SECRET = "AKIDEXAMPLE0000", "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"


class Server:
    """moto's server on a free port, with a bucket named `goldens`."""

    def __init__(self, server: Any) -> None:
        self._server = server
        host, port = server.get_host_and_port()
        self.url = f"http://{host}:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """How a program comes to use it: by its environment, with keys that must not be seen anywhere."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def bucket(self) -> Any:
        boto3 = pytest.importorskip("boto3")
        client = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
        )
        return client

    def names(self) -> list[str]:
        listed = self.bucket().list_objects_v2(Bucket="goldens").get("Contents", [])
        return sorted(entry["Key"] for entry in listed)

    def stop(self) -> None:
        self._server.stop()


@contextmanager
def s3_server() -> Iterator[Server]:
    pytest.importorskip("s3fs", reason="the extra `remote` is not installed")
    moto = pytest.importorskip("moto.server", reason="moto, the server of these tests, is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    running.start()
    server = Server(running)
    try:
        server.bucket().create_bucket(Bucket="goldens")
        yield server
    finally:
        server.stop()


def array_in(folder: Path, size: int = 3 * (4 << 20) + 17, seed: int = 0) -> tuple[Path, dict[str, Any]]:
    """Write bytes that no compression helps with, and return their file and entry."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / f"raw-{seed}"
    raw.write_bytes(np.random.default_rng(seed).bytes(size))
    digest = file_digest(raw)
    return raw, {"file": object_file(digest), "size": size, "blake3": digest}
