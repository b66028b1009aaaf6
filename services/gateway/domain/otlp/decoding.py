"""From the bytes of a request to OpenTelemetry's own messages.

JSON differs from protobuf's mapping in one place: ids are hex, where protobuf would take them for
base64 without complaint.
"""

import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic_core import from_json

from services.gateway.domain.otlp.ids import SPAN_BYTES, TRACE_BYTES
from services.gateway.domain.problems import Problem

MAX_UNPACKED = 4 * 1024 * 1024
STEP = 64 * 1024
MOST_NODES = 300_000  # a body of ordinary spans has half as many; each costs 4 us
MOST_MEMBERS = 64  # each is found by copying all that follows it
GZIP_WINDOW = 31  # zlib's way to ask for gzip's header and checksum
IDS = {
    **dict.fromkeys(("traceId", "trace_id"), TRACE_BYTES),
    **dict.fromkeys(("spanId", "span_id", "parentSpanId", "parent_span_id"), SPAN_BYTES),
}
SPANS = (("resourceSpans", "resource_spans"), ("scopeSpans", "scope_spans"), ("spans",))
LOGS = (
    ("resourceLogs", "resource_logs"),
    ("scopeLogs", "scope_logs"),
    ("logRecords", "log_records"),
)

Request = ExportTraceServiceRequest | ExportLogsServiceRequest


class Encoding(StrEnum):
    """How a request is written, and so its answer."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


def unpacked(packed: bytes, bring: Callable[[int], None]) -> bytes:
    """What gzip holds, up to the bound; `bring` is told of each piece, and may refuse it."""
    out, rest = bytearray(), packed
    try:
        for _ in range(MOST_MEMBERS):
            member = zlib.decompressobj(wbits=GZIP_WINDOW)
            while not member.eof:
                piece = member.decompress(rest, STEP)
                rest = member.unconsumed_tail
                if not (piece or rest or member.eof):
                    raise Problem("bad-request", "The gzip ends too early.")
                bring(len(piece))
                out += piece
                if len(out) > MAX_UNPACKED:
                    detail = f"Unpacked, a body has at most {MAX_UNPACKED} bytes; send fewer."
                    raise Problem("too-large", detail)
            rest = member.unused_data
            if not rest:
                return bytes(out)
    except zlib.error as error:
        raise Problem("bad-request", f"The body is not gzip: {error}.") from error
    raise Problem("bad-request", f"The gzip has more than {MOST_MEMBERS} members.")


def spans_of(body: bytes, encoding: Encoding) -> ExportTraceServiceRequest:
    """A request for traces; 400 when it is none."""
    request = ExportTraceServiceRequest()
    _read(request, body, encoding, SPANS)
    return request


def logs_of(body: bytes, encoding: Encoding) -> ExportLogsServiceRequest:
    """A request for logs; 400 when it is none."""
    request = ExportLogsServiceRequest()
    _read(request, body, encoding, LOGS)
    return request


def _read(
    request: Request, body: bytes, encoding: Encoding, path: tuple[tuple[str, ...], ...]
) -> None:
    try:
        if encoding is Encoding.PROTOBUF:
            request.ParseFromString(body)
            return
        if body.count(b"{") + body.count(b"[") > MOST_NODES:
            raise Problem("too-large", f"JSON holds at most {MOST_NODES} objects and lists here.")
        content = from_json(body)
        if not isinstance(content, dict):
            raise Problem("bad-request", "The body is no JSON object.")
        for one in _along(content, path):
            _put_ids(one)
        ParseDict(content, request, ignore_unknown_fields=True)
    except DecodeError as error:
        raise Problem("bad-request", "The body is no such message of OTLP.") from error
    except ParseError as error:
        raise Problem("bad-request", f"The body is not OTLP: {str(error)[:300]}") from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Problem("bad-request", f"The body is not JSON of OTLP: {str(error)[:300]}") from error


def _along(content: Any, path: tuple[tuple[str, ...], ...]) -> Iterator[dict[str, Any]]:
    """The objects at the end of a path through objects and lists."""
    if not path:
        if isinstance(content, dict):
            yield content
        return
    if isinstance(content, dict):
        for name in path[0]:
            items = content.get(name)
            for item in items if isinstance(items, list) else ():
                yield from _along(item, path[1:])


def _put_ids(said: dict[str, Any]) -> None:
    """Ids as protobuf's mapping reads them."""
    links = said.get("links")
    linked = links if isinstance(links, list) else []
    for one in (said, *(link for link in linked if isinstance(link, dict))):
        for name, size in IDS.items():
            if isinstance(one.get(name), str):
                one[name] = _base64(one[name], size)


def _base64(text: str, size: int) -> str:
    """An id of so many bytes; one that is none becomes empty, so that its span alone is refused."""
    for read in (bytes.fromhex, b64decode):
        try:
            found = read(text)
        except (ValueError, NotBase64Error):
            continue
        if len(found) == size:
            return b64encode(found).decode()
    return ""
