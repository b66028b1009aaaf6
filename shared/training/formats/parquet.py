"""Parquet by pyarrow, which is imported only here and only when asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.training.errors import MissingExtraError
from shared.training.formats.lines import encoded
from shared.training.formats.schemas import MESSAGE_COLUMNS, SHAPE_TYPES
from shared.training.row import Record

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 4_096
MOST_BYTES = 8 << 20
"""Of a row group, counted as JSON: what is held until a group is written."""


def prepare() -> None:
    """Import pyarrow: 1 s the first time, which a server spends in a thread.

    Raises `MissingExtraError` without it.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'assay[parquet]'") from error
    pa.array([], pa.string())  # it imports pandas, where that is installed, with the first array


class _Sink:
    """What pyarrow writes to, emptied after each row group."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The pieces are still to be taken."""

    def taken(self) -> bytes:
        """All that was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class Parquet:
    """Row groups of at most `MOST_ROWS` records, cut by the records alone, never by portions."""

    def __init__(self, shape: str) -> None:
        """Raises `MissingExtraError` without pyarrow."""
        prepare()
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

        self._schema = schema(shape)
        self._sink = _Sink()
        # No schema of Arrow's own and no statistics: texts would stand in both. The only mark is
        # `created_by`, pyarrow's version, so one version makes the same bytes every time.
        self._writer = ParquetWriter(
            self._sink, self._schema, compression="zstd", store_schema=False, write_statistics=False
        )
        self._group: list[Record] = []
        self._held = 0

    def head(self) -> bytes:
        return self._sink.taken()

    def body(self, records: Sequence[Record]) -> bytes:
        for record in records:
            self._group.append(record)
            self._held += len(encoded(record))
            if len(self._group) >= MOST_ROWS or self._held >= MOST_BYTES:
                self._write_group()
        return self._sink.taken()

    def tail(self) -> bytes:
        if self._group:
            self._write_group()
        self._writer.close()
        return self._sink.taken()

    def _write_group(self) -> None:
        self._writer.write_table(_table(self._group, self._schema))
        self._group, self._held = [], 0


def _table(records: Sequence[Record], types: "pa.Schema") -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415

    columns = []
    for column in types:
        values = [record[column.name] for record in records]
        if pa.types.is_timestamp(column.type):  # ten times as fast as by way of datetimes
            columns.append(pa.array(values, pa.string()).cast(column.type))
        elif pa.types.is_string(column.type):  # a lineage has no fixed members: it is JSON here
            columns.append(pa.array([_text(value) for value in values], column.type))
        else:
            columns.append(pa.array(values, column.type))
    return pa.Table.from_arrays(columns, schema=types)


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else encoded(value).decode()


def schema(shape: str) -> "pa.Schema":
    """Types of a shape's columns: an empty file and a column of nulls have them too."""
    import pyarrow as pa  # noqa: PLC0415

    text = pa.string()
    members = [(name, text) for name in MESSAGE_COLUMNS]
    weighted = [*members, ("weight", pa.int64())]
    types = {
        "text": text,
        "texts": pa.list_(text),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
        "json": text,
        "messages": pa.list_(pa.struct(members)),
        "weighted": pa.list_(pa.struct(weighted)),
    }
    return pa.schema([(name, types[kind]) for name, kind in SHAPE_TYPES[shape].items()])
