"""Records that must end as dead letters, each with its reason."""

import json
from typing import Any

from tests.support.events import encoded, now_text, operation

Poison = tuple[str, bytes | None, list[tuple[str, bytes | None]]]


def poison(first: int) -> list[Poison]:
    """(reason, value, headers) of every kind of bad input; ids from `first` on."""
    number = iter(range(first, first + 1000))

    def changed(**changes: Any) -> bytes:
        return json.dumps(operation(next(number)) | changes).encode()

    def without(name: str) -> bytes:
        event = operation(next(number))
        del event[name]
        return encoded(event)

    def fine() -> bytes:
        return encoded(operation(next(number)))

    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    return [
        ("invalid_json", b"{not json", []),
        ("invalid_json", b"", []),
        ("invalid_json", changed(confidence=float("nan")), []),
        ("invalid_json", changed(response_time_ms=float("inf")), []),
        ("invalid_json", fine()[:-10], []),
        ("invalid_field", b"[]", []),
        ("invalid_field", b"42", []),
        ("invalid_field", b"null", []),
        ("invalid_field", changed(success="yes"), []),
        ("invalid_field", changed(response_time_ms="12"), []),
        ("invalid_field", changed(response_time_ms=-1), []),
        ("invalid_field", changed(confidence=1.5), []),
        ("invalid_field", changed(cost_usd=-0.1), []),
        ("invalid_field", changed(input_tokens=1.5), []),
        ("invalid_field", changed(input_tokens=10**30), []),
        ("invalid_field", changed(tenant_id="No Such Name!"), []),
        ("invalid_field", changed(model_id=""), []),
        ("invalid_field", changed(model_id="m" * 129), []),
        ("invalid_field", changed(metadata={"nested": {"a": 1}}), []),
        ("invalid_field", changed(metadata={str(key): 1 for key in range(33)}), []),
        ("invalid_field", changed(event_id="no-uuid"), []),
        ("invalid_field", changed(model_id="\0"), []),
        ("missing_field", without("operation_id"), []),
        ("missing_field", without("event_id"), []),
        ("missing_field", changed(success=None), []),
        ("too_large", changed(padding="x" * 70_000), []),
        ("too_large", b"x" * 1_000_000, []),
        ("too_deep", changed(padding=deep), []),
        ("too_deep", b"[" * 10_000 + b"]" * 10_000, []),
        ("null_value", None, []),
        ("bad_encoding", b'{"a":"\xff\xfe"}', []),
        ("bad_encoding", changed(error_message="\ud800"), []),
        ("bad_header", fine(), [("trace", None)]),
        ("bad_header", fine(), [("trace", b"\xff\xfe")]),
        ("bad_header", fine(), [("ce_id", b"another-id")]),
        ("unsupported_version", changed(schema_version=2), []),
        ("unsupported_version", changed(schema_version="one"), []),
        ("unknown_tenant", changed(tenant_id="nobody"), []),
        ("bad_time", changed(occurred_at="yesterday"), []),
        ("bad_time", changed(occurred_at=now_text()[:19]), []),
        ("bad_time", changed(occurred_at=now_text(ago_s=-48 * 3600)), []),
        ("bad_time", changed(occurred_at=now_text(ago_s=91 * 24 * 3600)), []),
        ("bad_time", changed(occurred_at="9999-12-31T23:59:59+00:00"), []),
        ("bad_time", changed(occurred_at="0001-01-01T00:00:00+00:00"), []),
        ("bad_time", changed(occurred_at=1_700_000_000), []),
    ]
