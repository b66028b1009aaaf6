"""Replay of real traffic: TIMESTAMP, ContextTokens, GeneratedTokens, one line a call.

The format of the Azure LLM inference traces. They hold no latency, outcome or user, so none is
made up: each call is replayed as a success of 0 ms, and says so in its metadata. Times keep their
distances and end now.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from assay_sdk import Assay

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
FLUSH_EVERY = 2_000
FLUSH_S = 30.0
MICROSECOND_DIGITS = 26


class Call(NamedTuple):
    """One line of a trace."""

    at: datetime
    context_tokens: int
    generated_tokens: int


class Totals(NamedTuple):
    """What a replay adds up to."""

    operations: int
    input_tokens: int
    output_tokens: int


class TraceError(Exception):
    """A file that is no trace."""


def read_trace(path: Path) -> list[Call]:
    """All calls of a file."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise TraceError(f"{path} has no header line {','.join(COLUMNS)}")
        return list(_calls(path, reader))


def replay(
    assay: Assay,
    model_id: str,
    calls: list[Call],
    now: datetime,
    on_progress: Callable[[int], None],
) -> Totals:
    """Send every call through the client."""
    shift = now - max(call.at for call in calls)
    for number, call in enumerate(calls, 1):
        assay.log(
            model_id=model_id,
            success=True,
            response_time_ms=0.0,
            input_tokens=call.context_tokens,
            output_tokens=call.generated_tokens,
            occurred_at=(call.at + shift).isoformat(),
            metadata={"response_time": "not part of the trace"},
        )
        if number % FLUSH_EVERY == 0:
            assay.flush(FLUSH_S)
            on_progress(number)
    on_progress(len(calls))
    return Totals(
        len(calls),
        sum(call.context_tokens for call in calls),
        sum(call.generated_tokens for call in calls),
    )


def _calls(path: Path, reader: "csv.DictReader[str]") -> Iterator[Call]:
    for line in reader:
        try:
            # The traces have seven digits behind the second; a datetime holds six.
            at = datetime.fromisoformat(line["TIMESTAMP"][:MICROSECOND_DIGITS]).replace(tzinfo=UTC)
            yield Call(at, int(line["ContextTokens"]), int(line["GeneratedTokens"]))
        except (TypeError, ValueError) as error:
            raise TraceError(f"{path} line {reader.line_num} cannot be read: {error}") from error
