"""From what the agent said to the bytes that are sent. Runs on the sender's thread only."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from assay_sdk.ids import Name, uuid7

MAX_EVENT = 64 * 1024
CONTENT = ("input_text", "output_text")
TYPES = {
    "operations": "dev.assay.operation.completed.v1",
    "feedback": "dev.assay.feedback.submitted.v1",
    "exposures": "dev.assay.experiment.exposed.v1",
}

Mask = Callable[[dict[str, Any]], dict[str, Any] | None]


class Given(NamedTuple):
    """An event as the caller's thread left it: nothing but references and a number."""

    kind: str
    at_ns: int
    fields: dict[str, Any]


class Encoded(NamedTuple):
    """An event that is ready to be sent, as often as it takes, always the same bytes."""

    kind: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """The event will not be sent, and why: the name of a counter."""


def prepare() -> None:
    """Serialise once: the library's own tables are made then, under a lock of its own."""
    from pydantic_core import to_json  # noqa: PLC0415 - as below

    to_json({"text": "a", "numbers": [1, 1.5, None, True]}, inf_nan_mode="constants")


def encode(given: Given, tenant_id: str, mask: Mask | None, *, content: bool) -> Encoded:
    """Mask, check, name and serialise; raises `Refused`."""
    # Imported here: it takes longer than all else of the client, and no agent should wait for it.
    from pydantic_core import to_json  # noqa: PLC0415

    at = datetime.fromtimestamp(given.at_ns / 1e9, UTC).isoformat()
    fields = {name: value for name, value in given.fields.items() if value is not None}
    if given.kind == "operations":
        named = fields.get("operation_id") or uuid7()
        fields["operation_id"] = str(named) if isinstance(named, Name) else named
    if not content:
        for name in CONTENT:
            fields.pop(name, None)
    if mask is not None:
        fields = _masked(fields, mask)
    # Identity comes last: fields may come from whoever asks the agent, as LiteLLM's metadata does.
    identity = {"event_id": uuid7(), "tenant_id": tenant_id, "schema_version": 1}
    event: dict[str, Any] = {"occurred_at": at, **fields, **identity}
    try:
        value = to_json(event, inf_nan_mode="constants")
    except BaseException as error:  # also what a generator among the fields raises, or a panic
        raise Refused("dropped:invalid") from error
    if len(value) > MAX_EVENT:
        raise Refused("dropped:too_large")
    named = event["event_id"] if given.kind == "exposures" else fields.get("operation_id", "")
    key = str(named).encode("utf-8", "replace")
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event["event_id"],
        "ce_source": f"/tenants/{tenant_id}/agents/{fields.get('agent_id', 'unknown')}",
        "ce_type": TYPES[given.kind],
        "ce_time": at,
        "content-type": "application/json",
    }
    encoded = [(name, value.encode("utf-8", "replace")) for name, value in headers.items()]
    return Encoded(given.kind, key, value, [*encoded, ("ce_subject", key)])


def _masked(fields: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """Fail closed: what the mask could not look at is not sent."""
    try:
        masked = mask(dict(fields))
    except BaseException as error:
        raise Refused("dropped:mask_failed") from error
    if masked is None:
        raise Refused("dropped:masked")
    if not isinstance(masked, dict):
        raise Refused("dropped:mask_failed")
    return masked
