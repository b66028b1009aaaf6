"""Erasures as they are asked for and answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError, to_json

from services.gateway.domain.problems import Problem
from shared.events.base import ShortText
from shared.privacy.names import USER, Names

RECEIPTS: Final = (
    ("ingest", "postgres"),
    ("ingest", "kafka"),
    ("abtest", "postgres"),
    ("feedback", "postgres"),
    ("gateway", "postgres"),
    ("gateway", "redis"),
    ("metrics", "redis"),
    ("notify", "postgres"),
)
"""Which service answers for which store; all of them are waited for."""
SUBJECT = "subject"

Mode = Literal["erase", "anonymise"]
Kind = Literal["user", "operation", "filter"]
Status = Literal["pending", "running", "completed", "failed"]


class ErasureFilter(BaseModel):
    """What fits all of these; at least one member besides the times."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    user_id: ShortText | None = None
    session_id: ShortText | None = None
    trace_id: ShortText | None = None
    model_id: ShortText | None = None
    agent_id: ShortText | None = None
    environment: ShortText | None = None
    release: ShortText | None = None
    operation_type: ShortText | None = None
    variant: ShortText | None = None
    start: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(
        None, alias="to", description="Before this; at the latest before the request."
    )

    @model_validator(mode="after")
    def _names_something(self) -> "ErasureFilter":
        if not self.names():
            raise PydanticCustomError("missing", "name at least one member besides from and to")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise PydanticCustomError("bad_time", "from must be before to")
        return self

    def names(self) -> dict[str, str]:
        """Value by field."""
        given: dict[str, str] = self.model_dump(exclude_none=True, exclude={"start", "end"})
        return given


class ErasureRequest(BaseModel):
    """Who or what is to be erased: exactly one of a user, an operation and a filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: ShortText | None = Field(None, description="Raw, as in events; it is not stored.")
    operation_id: ShortText | None = None
    filter: ErasureFilter | None = None
    mode: Mode = Field(
        "erase",
        description="erase: rows and texts go. anonymise: rows stay, without names and texts.",
    )

    @model_validator(mode="after")
    def _names_one(self) -> "ErasureRequest":
        if sum(one is not None for one in (self.user_id, self.operation_id, self.filter)) != 1:
            raise PydanticCustomError("missing", "give one of user_id, operation_id and filter")
        return self


class Receipt(BaseModel):
    """What a store answered; without `at`, it has not yet."""

    service: str
    store: str
    removed: int | None = Field(description="Rows so far; null where nobody can count.")
    until: datetime | None = Field(description="Until then it ages out of this store by itself.")
    at: datetime | None


class ErasureView(BaseModel):
    """An erasure. It does not say whose: that is what it is for."""

    id: UUID
    mode: Mode
    kind: Kind
    subject_hash: str
    status: Status
    erased_before: datetime
    deadline: datetime
    created_at: datetime
    created_by: str
    completed_at: datetime | None
    receipts: list[Receipt]


class Asked(NamedTuple):
    """An erasure as it is kept; `subject` by pseudonym, `marked` by digest."""

    erasure_id: UUID
    mode: Mode
    kind: Kind
    subject: Mapping[str, str]
    marked: Mapping[str, str]
    subject_hash: str
    since: datetime | None
    before: datetime
    deadline: datetime
    created_by: str


EXAMPLE = {
    "id": "0199f2d0-1c44-7d0e-b6a8-7f2e4c9a1b35",
    "mode": "erase",
    "kind": "user",
    "subject_hash": "5d41402abc4b2a76b9719d911017c592",
    "status": "running",
    "erased_before": "2026-11-28T08:00:00Z",
    "deadline": "2026-11-28T08:15:00Z",
    "created_at": "2026-11-28T08:00:00Z",
    "created_by": "key:k3v9x0aq2m1z",
    "completed_at": None,
    "receipts": [
        {
            "service": "ingest",
            "store": "postgres",
            "removed": 412,
            "until": None,
            "at": "2026-11-28T08:00:03Z",
        }
    ],
}


def asked(
    request: ErasureRequest,
    tenant_id: str,
    names: Names,
    ids: tuple[UUID, str],
    times: tuple[datetime, datetime],
) -> Asked:
    """What is kept of a request. `ids`: its own and who asks; `times`: now, and the deadline."""
    (erasure_id, who), (now, deadline) = ids, times
    given = _given(request)
    if USER in given:
        given[USER] = names.pseudonym(tenant_id, given[USER])
    start, end = (request.filter.start, request.filter.end) if request.filter else (None, None)
    before = now if end is None else min(now, end)
    marked = {field: names.digest(tenant_id, field, value) for field, value in given.items()}
    said = to_json([sorted(marked.items()), start, end]).decode()
    kind: Kind = "filter" if request.filter else "user" if request.user_id else "operation"
    subject_hash = names.digest(tenant_id, SUBJECT, said)
    return Asked(
        *(erasure_id, request.mode, kind, given, marked, subject_hash),
        *(start, before, deadline, who),
    )


def needles(request: ErasureRequest) -> list[bytes]:
    """How a user's or an operation's name may stand in a record that nobody can decode.

    Not for a span of time: nobody can tell when such a record is from.
    """
    given = _given(request)
    found = {
        to_json(value, ensure_ascii=ascii_only)
        for field, value in given.items()
        if field in {USER, "operation_id", "session_id"} and _is_whole(request, given)
        for ascii_only in (False, True)
    }
    return sorted(found)


def reviewer(request: ErasureRequest) -> str | None:
    """The name under which the person may have reviewed; `None`: not all of a person is meant."""
    given = _given(request)
    return given.get(USER) if _is_whole(request, given) else None


def erasure_view(row: Any, receipts: Sequence[Any]) -> dict[str, Any]:
    """A stored erasure as it is answered."""
    shown = {name: row[name] for name in ErasureView.model_fields if name not in {"id", "receipts"}}
    told = [{name: one[name] for name in Receipt.model_fields} for one in receipts]
    return {"id": row["erasure_id"], **shown, "receipts": told}


def no_erasure(erasure_id: UUID) -> Problem:
    """The 404 of an erasure."""
    return Problem("not-found", f"There is no erasure {erasure_id}.")


def _is_whole(request: ErasureRequest, given: Mapping[str, str]) -> bool:
    """Whether one name is all that is asked by."""
    times = (request.filter.start, request.filter.end) if request.filter else ()
    return len(given) == 1 and not any(times)


def _given(request: ErasureRequest) -> dict[str, str]:
    if request.filter is not None:
        return request.filter.names()
    if request.user_id is not None:
        return {USER: request.user_id}
    assert request.operation_id is not None  # noqa: S101 - the model has exactly one
    return {"operation_id": request.operation_id}
