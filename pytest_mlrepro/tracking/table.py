"""The functions of libraries that open files without telling Python, and which of their arguments is the path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["TABLE", "Target"]


class Target(NamedTuple):
    """A function or method that opens what stands at `position`, which is also called `argument`.

    `mode` is the position of an argument of that name which says what for, as with `open`; the default is `r`.
    """

    module: str
    name: str
    position: int
    argument: str
    writes: bool = False
    mode: int | None = None


def _targets(module: str, names: str, position: int, argument: str, writes: bool = False) -> Iterator[Target]:
    return (Target(module, name, position, argument, writes) for name in names.split())


_POLARS_READ: Final = (
    "read_avro read_csv read_delta read_excel read_ipc read_ipc_schema read_ipc_stream read_json read_lines "
    "read_ndjson read_ods read_parquet read_parquet_metadata read_parquet_schema read_csv_batched "
    "scan_csv scan_delta scan_ipc scan_lines scan_ndjson scan_parquet"
)
_POLARS_WRITE: Final = (
    "write_avro write_csv write_ipc write_ipc_stream write_json write_ndjson write_parquet"  # of frames
)
TABLE: Final = (
    *_targets("polars", _POLARS_READ, 0, "source"),
    *(Target("polars", f"DataFrame.{name}", 1, "file", True) for name in _POLARS_WRITE.split()),
    *(Target("polars", f"LazyFrame.sink_{name}", 1, "path", True) for name in ("csv", "ipc", "ndjson", "parquet")),
    Target("pyarrow", "memory_map", 0, "path", mode=1),
    Target("pyarrow", "OSFile", 0, "path", mode=1),
    *_targets("pyarrow", "input_stream", 0, "source"),
    *_targets("pyarrow", "output_stream", 0, "source", True),
    *_targets("pyarrow.csv", "read_csv open_csv", 0, "input_file"),
    *_targets("pyarrow.csv", "write_csv", 1, "output_file", True),
    *_targets("pyarrow.json", "read_json open_json", 0, "input_file"),
    *_targets("pyarrow.feather", "read_table read_feather", 0, "source"),
    *_targets("pyarrow.feather", "write_feather", 1, "dest", True),
    *_targets("pyarrow.orc", "ORCFile.__init__", 1, "source"),
    *_targets("pyarrow.orc", "read_table", 0, "source"),
    *_targets("pyarrow.orc", "ORCWriter.__init__", 1, "where", True),
    *_targets("pyarrow.parquet.core", "read_metadata read_schema", 0, "where"),
    *_targets("pyarrow.parquet.core", "ParquetFile.__init__", 1, "source"),
    *_targets("pyarrow.parquet.core", "ParquetDataset.__init__", 1, "path_or_paths"),
    *_targets("pyarrow.parquet.core", "ParquetWriter.__init__", 1, "where", True),
    *_targets("pyarrow.ipc", "RecordBatchFileReader.__init__ RecordBatchStreamReader.__init__", 1, "source"),
    *_targets("pyarrow.ipc", "RecordBatchFileWriter.__init__ RecordBatchStreamWriter.__init__", 1, "sink", True),
    *_targets("pyarrow.dataset", "dataset", 0, "source"),
    *_targets("pyarrow.dataset", "parquet_dataset", 0, "metadata_path"),
    *_targets("safetensors", "safe_open", 0, "filename"),
    *_targets("safetensors", "serialize_file", 1, "filename", True),
    *_targets("torch", "from_file", 0, "filename"),
    *_targets("torch", "save", 1, "f", True),
    *_targets("torch.jit", "load", 0, "f"),
    *_targets("torch.jit", "save", 1, "f", True),
    *_targets("torch.export", "load", 0, "f"),
    *_targets("torch.export", "save", 1, "f", True),
    Target("h5py", "File.__init__", 1, "name", mode=2),
)
