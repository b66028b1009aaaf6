"""From an operation and all that was said of it to its rows: a pure function, so order is nothing.

What came first, how often it came, and who died in between leave no trace: rows are made anew from
what is stored, whenever any of it has changed.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from pydantic_core import to_json

from services.feedback.domain.evidence import Answer, of_corrections, of_original
from services.feedback.domain.formulas import Formula
from services.feedback.domain.reasons import reasons
from services.feedback.domain.terms import terms
from services.feedback.domain.votes import Feedback, current
from services.feedback.domain.weighting import Evidence, Weighed, weigh
from shared.training.splits import USUAL, ends, split

ANSWER, CORRECTION = "answer", "correction"
REFUSED = "refused"
"""Stands for all rows of an operation: somebody who is erased did not want it to be trained on."""
READY, WITHDRAWN = "ready", "withdrawn"
NO_TEXT = "no text: the operation's was not kept"
SPLIT_ENDS = ends(USUAL)
_ROWS = UUID("6f6a1c3e-50a4-5d1e-9c58-5a6f0c1f7d21")
MOST_CORRECTIONS = 100
"""Texts of one operation that become rows: those that were given last."""
MOST_NAMED = 1_000
"""Feedback that a row names: the newest, as many as count."""
_ROUNDED = 4  # changes of weight that are smaller are told to nobody


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation, as ingest stored its newest event."""

    tenant_id: str
    operation_id: str
    event_id: UUID
    occurred_at: datetime
    model_id: str
    model_version: str | None
    provider: str | None
    operation_type: str
    agent_id: str | None
    environment: str
    release: str | None
    prompt_version: str | None
    success: bool
    input_text: str | None
    output_text: str | None
    ab_test_id: str | None
    variant: str | None


class Row(NamedTuple):
    """One row of `model_training_data`, in column order."""

    tenant_id: str
    row_id: UUID
    operation_id: str
    kind: str
    state: str
    occurred_at: datetime
    model_id: str
    model_version: str | None
    agent_id: str | None
    environment: str
    operation_type: str
    prompt_version: str | None
    ab_test_id: str | None
    variant: str | None
    input: str | None
    output: str | None
    correction: str | None
    input_hash: bytes | None
    quality: float
    weight: float
    reasons: list[str]
    terms: str
    consent: bool | None
    split: str
    formula_version: str
    weighed_at: datetime
    lineage: str
    has_pii: bool
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """What making needs to know besides the operation and what was said of it."""

    at: datetime
    formula: Formula
    reliable: Mapping[str, float]
    blocked: AbstractSet[UUID]
    pseudonym: Callable[[str, str], str]
    finds_pii: Callable[[str], bool]


def answer_of(operation: Operation, pseudonym: Callable[[str, str], str]) -> Answer:
    """The answer that is judged; a model may judge itself under its pseudonym too."""
    model = operation.model_id
    return Answer(
        frozenset({model, pseudonym(operation.tenant_id, model)}),
        operation.output_text,
        operation.success,
    )


def rows_of(operation: Operation, feedback: Sequence[Feedback], how: Made) -> list[Row]:
    """The answer's row first, then one for each text that was given instead."""
    answer = answer_of(operation, how.pseudonym)
    original = of_original(answer, feedback, how.reliable)
    instead = _newest(of_corrections(answer, feedback, how.reliable))
    weighed = {text: weigh(known, how.at, how.formula) for text, known in instead.items()}
    told = current(feedback)
    # Taken out for good is a text wherever it stands.
    allowed = [text for text in weighed if _identity(operation, text) not in how.blocked]
    best = max(allowed, key=lambda text: (weighed[text].quality, text), default=None)
    rows = [_row(operation, how, (ANSWER, best), weigh(original, how.at, how.formula), told)]
    by_text: dict[str, list[Feedback]] = {}
    for one in told:
        by_text.setdefault((one.correction or "").strip(), []).append(one)
    return rows + [
        _row(operation, how, (CORRECTION, text), weighed[text], by_text[text])
        for text in sorted(weighed)
    ]


def _identity(operation: Operation, text: str) -> UUID:
    return row_id(operation.tenant_id, operation.operation_id, CORRECTION, text)


def _newest(instead: Mapping[str, Evidence]) -> dict[str, Evidence]:
    def given(text: str) -> tuple[datetime, str]:
        return max(vote.occurred_at for vote in instead[text].votes), text

    with_votes = [text for text in instead if instead[text].votes]
    others = [text for text in instead if not instead[text].votes]  # programs' alone
    kept = [*sorted(others), *sorted(with_votes, key=given)][-MOST_CORRECTIONS:]
    return {text: instead[text] for text in kept}


def why_of(weighed: Weighed, *, has_text: bool) -> list[str]:
    """The reasons of a row; one without texts says so."""
    return [*reasons(weighed), *([] if has_text else [NO_TEXT])]


def row_id(tenant_id: str, operation_id: str, kind: str, text: str = "") -> UUID:
    """The same for the same row, for ever."""
    parts = [tenant_id, operation_id, kind]
    if kind == CORRECTION:
        parts.append(sha256(text.encode()).hexdigest())
    return uuid5(_ROWS, "\x1f".join(parts))


def _row(
    operation: Operation,
    how: Made,
    what: tuple[str, str | None],
    weighed: Weighed,
    said: Sequence[Feedback],
) -> Row:
    kind, text = what
    identity = row_id(operation.tenant_id, operation.operation_id, kind, text or "")
    refused = row_id(operation.tenant_id, operation.operation_id, REFUSED)
    is_blocked = identity in how.blocked or refused in how.blocked
    is_out = weighed.evidence.consent is False or is_blocked
    if is_blocked:
        weighed = weigh(replace(weighed.evidence, is_blocked=True), how.at, how.formula)
    output = text if kind == CORRECTION else operation.output_text
    texts = (operation.input_text, output, text if kind == ANSWER else None)
    if is_out:
        texts = (None, None, None)
    why = why_of(weighed, has_text=is_out or any(one is not None for one in texts))
    row = Row(
        *(operation.tenant_id, identity, operation.operation_id, kind),
        WITHDRAWN if is_out else READY,
        *(operation.occurred_at, operation.model_id, operation.model_version),
        *(operation.agent_id, operation.environment, operation.operation_type),
        *(operation.prompt_version, operation.ab_test_id, operation.variant),
        *texts,
        None if texts[0] is None else sha256(texts[0].encode()).digest(),
        *(weighed.quality, weighed.weight, why),
        to_json(terms(weighed.evidence)).decode(),
        weighed.evidence.consent,
        split(operation.tenant_id, operation.operation_id, SPLIT_ENDS),
        *(weighed.version, weighed.at),
        to_json(_lineage(operation, said)).decode(),
        any(how.finds_pii(one) for one in texts if one),
        b"",
    )
    return _with_hash(row)


def _lineage(operation: Operation, said: Sequence[Feedback]) -> dict[str, Any]:
    """Where the row comes from. Feedback is that which counts: what was replaced is history."""
    read = {f"{one.said.method} {one.said.version}" for one in said if one.said.version}
    return {
        "operation_event_id": str(operation.event_id),
        "feedback_event_ids": sorted(str(one.event_id) for one in said[-MOST_NAMED:]),
        "provider": operation.provider,
        "release": operation.release,
        "readers": sorted(read),
    }


def _with_hash(row: Row) -> Row:
    """With 16 bytes that change when somebody is to be told: not for the day of weighing alone."""
    rounded = (round(row.quality, _ROUNDED), round(row.weight, _ROUNDED))
    said = row._replace(quality=rounded[0], weight=rounded[1], terms="", content_hash=b"")
    members = [one.hex() if isinstance(one, bytes) else one for one in said]
    members[Row._fields.index("weighed_at")] = None
    return row._replace(content_hash=blake2b(to_json(members), digest_size=16).digest())
