"""What is stored of one person, as it is asked for, told and left out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json

from services.gateway.domain.erasures import ErasureRequest, asked
from services.gateway.domain.problems import Problem
from shared.audit.chain import Entry
from shared.events.base import ShortText
from shared.privacy.named import members_of
from shared.privacy.names import Names

KEPT_FOR: Final = timedelta(days=7)
SHOWN = {"clearing": "pending"}
"""To whoever asked, an export that is made anew is one that is not made yet."""

Status = Literal["pending", "running", "ready"]


class SubjectExportRequest(BaseModel):
    """Whose data is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: ShortText = Field(description="Raw, as in events; it is not stored.")


class SubjectExportView(BaseModel):
    """An export of a person's data. It does not say whose: whoever asked for it knows."""

    id: UUID
    subject_hash: str = Field(description="That of an erasure of the same person.")
    status: Status
    created_at: datetime
    created_by: str
    completed_at: datetime | None
    expires_at: datetime = Field(description="When it is deleted.")


class AskedExport(NamedTuple):
    """An export as it is kept; the person by pseudonym."""

    export_id: UUID
    subject: str
    subject_hash: str
    now: datetime
    created_by: str


EXAMPLE = {
    "id": "0199f2d0-1c44-7d0e-b6a8-7f2e4c9a1b35",
    "subject_hash": "5d41402abc4b2a76b9719d911017c592",
    "status": "pending",
    "created_at": "2026-11-28T08:00:00Z",
    "created_by": "key:k3v9x0aq2m1z",
    "completed_at": None,
    "expires_at": "2026-12-05T08:00:00Z",
}


def asked_export(
    request: SubjectExportRequest,
    tenant_id: str,
    names: Names,
    ids: tuple[UUID, str],
    now: datetime,
) -> AskedExport:
    """What is kept of a request. `ids`: its own and who asks."""
    erasure = ErasureRequest(user_id=request.user_id)
    same = asked(erasure, tenant_id, names, ids, (now, now))
    return AskedExport(ids[0], same.subject["user_id"], same.subject_hash, now, ids[1])


def export_view(row: Any) -> dict[str, Any]:
    """A stored export as it is answered."""
    names = [name for name in SubjectExportView.model_fields if name not in {"id", "status"}]
    status = SHOWN.get(row["status"], row["status"])
    return {"id": row["export_id"], "status": status, **{name: row[name] for name in names}}


def no_export(export_id: UUID) -> Problem:
    """The 404 of an export."""
    return Problem("not-found", f"There is no export {export_id}, or not any more.")


def erased_export(export_id: UUID) -> Problem:
    """The 409 of an export whose person was erased."""
    return Problem(
        "conflict", f"The person of export {export_id} was erased meanwhile, and it with them."
    )


def of_export_made(kept: AskedExport) -> Entry:
    """What the audit log is told of a request: not whose data it is."""
    after = {"subject_hash": kept.subject_hash}
    return Entry("subject_export.create", "subject_export", str(kept.export_id), None, after)


def of_export_read(row: Any) -> Entry:
    """What the audit log is told of a download."""
    told = {"subject_hash": row["subject_hash"]}
    return Entry("subject_export.download", "subject_export", str(row["export_id"]), None, told)


def bears(letter: Any, tenant_id: str, subject: str, names: Names) -> bool:
    """Whether a dead letter names a person, in a field that events have for it."""
    members = members_of(letter["record_value"])
    people = members.get("user_id", []) + members.get("unit_id", [])
    return is_of(letter, tenant_id) and any(
        names.pseudonym(tenant_id, one) == subject for one in people
    )


def is_of(letter: Any, tenant_id: str) -> bool:
    """Whether a dead letter is a tenant's, and cannot be taken for any other's."""
    if letter["tenant_id"] is not None:
        return bool(letter["tenant_id"] == tenant_id)
    return set(members_of(letter["record_value"]).get("tenant_id", [])) == {tenant_id}


def place_of(letter: Any) -> list[Any]:
    """Where a dead letter stands."""
    return [letter["topic"], letter["partition"], letter["kafka_offset"]]


def letter_line(letter: Any) -> str:
    """A dead letter as it is exported; what is no text in hex digits."""
    shown: dict[str, Any] = dict(letter)
    for name in ("record_key", "record_value"):
        shown[name] = _readable(shown[name])
    shown["record_headers"] = from_json(shown["record_headers"])
    return to_json(shown).decode()


def manifest(row: Any, classes: Mapping[str, int], described: Mapping[str, str]) -> bytes:
    """What a file holds, and what it does not."""
    said = {
        "export": str(row["export_id"]),
        "subject": row["subject"],
        "asked_at": row["created_at"],
        "made_at": row["completed_at"],
        "files": [
            {"file": f"{name}.jsonl", "lines": classes.get(name, 0), "holds": what}
            for name, what in described.items()
        ],
        "not_here": NOT_HERE,
    }
    return to_json(said, indent=2)


NOT_HERE: Final[Sequence[str]] = (
    "Words and names of others: what they wrote about this person's operations is theirs too.",
    "Records in Kafka (7 days, dead letters 14 days): what is stored of them is in these files.",
    "Backups, logs of proxies, and whatever other systems hold.",
    "Erasures by a filter that also names the person, once they are completed.",
)


def _readable(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"
