"""Requests of OTLP, of spans that have just ended."""

import json
from typing import Any

from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from services.gateway.domain.otlp.decoding import Encoding, logs_of, spans_of
from shared import clock

SECOND = 10**9
EVALUATION = "gen_ai.evaluation."


def attributes(said: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": name, "value": {kinds[type(one)]: one}} for name, one in said.items()]


def span(trace: int, number: int, said: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A chat of a quarter of a second, unless `said` and `members` say otherwise."""
    end = int(clock.utc_now().timestamp()) * SECOND
    chat = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": str(end - SECOND // 4),
        "endTimeUnixNano": str(end),
        "attributes": attributes(chat | said),
        **members,
    }


def traces(*spans: dict[str, Any]) -> bytes:
    """In JSON."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def evaluation(trace: int, number: int, said: dict[str, Any]) -> dict[str, Any]:
    """A log record that judges a span."""
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "timeUnixNano": str(int(clock.utc_now().timestamp()) * SECOND),
        "eventName": "gen_ai.evaluation.result",
        "attributes": attributes({f"{EVALUATION}{name}": one for name, one in said.items()}),
    }


def logs(*records: dict[str, Any]) -> bytes:
    """In JSON."""
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()


def protobuf(body: bytes) -> bytes:
    """The same in protobuf."""
    read: Message = (logs_of if b"resourceLogs" in body else spans_of)(body, Encoding.JSON)
    return read.SerializeToString()


def reason(answer: Any) -> str:
    """The reason in a `google.rpc.Status`, in either encoding."""
    if answer.headers["content-type"] == Encoding.JSON:
        return str(answer.json()["details"][0]["reason"])
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(answer.content).details[0].Unpack(info)
    return info.reason
