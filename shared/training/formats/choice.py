"""Which formats there are, and how they are named outside."""

from typing import Literal, NamedTuple

from shared.training.formats.encoder import Encoder
from shared.training.formats.lines import JsonArray, JsonLines
from shared.training.formats.parquet import Parquet
from shared.training.formats.schemas import SHAPE_TYPES
from shared.training.formats.table import Csv

FormatName = Literal["json", "jsonl", "csv", "parquet"]


class FileType(NamedTuple):
    """How a file is announced."""

    content_type: str
    suffix: str


FILE_TYPES: dict[FormatName, FileType] = {
    "json": FileType("application/json", ".json"),
    "jsonl": FileType("application/x-ndjson", ".jsonl"),
    "csv": FileType("text/csv; charset=utf-8; header=present", ".csv"),
    "parquet": FileType("application/vnd.apache.parquet", ".parquet"),
}


def encoder_of(name: FormatName, shape: str) -> Encoder:
    """A new file. Raises `MissingExtraError` for Parquet without pyarrow."""
    match name:
        case "json":
            return JsonArray()
        case "jsonl":
            return JsonLines()
        case "csv":
            return Csv(tuple(SHAPE_TYPES[shape]))
        case "parquet":
            return Parquet(shape)
