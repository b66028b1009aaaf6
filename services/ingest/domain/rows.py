"""Rows of the event tables, in column order."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from pydantic_core import to_json

from services.ingest.domain.batch import PseudonymOf, Read
from shared.codec import fingerprint
from shared.events.alert import AlertEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.privacy.texts import without_texts

Row = tuple[Any, ...]
ContentFree = Callable[[str], bool]

# What differs from event to row: the person's name, money, metadata, and the coordinates.
_OPERATION_FIELDS = [
    "tenant_id",
    "event_id",
    "occurred_at",
    "operation_id",
    "model_id",
    "success",
    "response_time_ms",
    "model_version",
    "provider",
    "operation_type",
    "agent_id",
    "environment",
    "release",
    "trace_id",
    "parent_operation_id",
    "session_id",
    "prompt_version",
    "time_to_first_token_ms",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "confidence",
    "error_type",
    "error_message",
    "ab_test_id",
    "variant",
]
_FEEDBACK_FIELDS = [
    "tenant_id",
    "event_id",
    "occurred_at",
    "operation_id",
    "rating",
    "helpful",
    "accurate",
    "relevant",
    "fast",
    "model_id",
    "environment",
    "operation_type",
    "variant",
    "source",
    "training_consent",
]
_ALERT_STEP_FIELDS = [
    "tenant_id",
    "event_id",
    "occurred_at",
    "alert_id",
    "step",
    "state",
    "severity",
    "reason",
    "actor",
]
_operation_fields = itemgetter(*_OPERATION_FIELDS)
_feedback_fields = itemgetter(*_FEEDBACK_FIELDS)
_alert_step_fields = itemgetter(*_ALERT_STEP_FIELDS)
_COORDINATES = ["payload_hash", "kafka_topic", "kafka_partition", "kafka_offset"]

OPERATION_COLUMNS = [
    *_OPERATION_FIELDS,
    *("user_pseudonym", "cost_nano", "metadata", "input_text", "output_text"),
    *_COORDINATES,
]
FEEDBACK_COLUMNS = [
    *_FEEDBACK_FIELDS,
    *("user_pseudonym", "metadata", "comment", "correction"),
    *_COORDINATES,
]
ALERT_STEP_COLUMNS = [*_ALERT_STEP_FIELDS, *_COORDINATES]


def operation_row(
    read: Read, cost_nano: int | None, pseudonym: PseudonymOf, *, content_free: bool
) -> Row:
    """One row of `ai_model_operations`."""
    event = without_texts(read.stored) if content_free else read.stored
    assert isinstance(event, OperationEvent)  # noqa: S101 - the topic decides the model
    said = event.__dict__
    return (
        *_operation_fields(said),
        pseudonym(event.tenant_id, event.user_id) if event.user_id else None,
        cost_nano,
        to_json(event.metadata).decode() if event.metadata else None,
        *(event.input_text, event.output_text),
        *_coordinates(read),
    )


def feedback_row(read: Read, pseudonym: PseudonymOf, *, content_free: bool) -> Row:
    """One row of `user_feedback`; dimensions count only together with a model."""
    event = without_texts(read.stored) if content_free else read.stored
    assert isinstance(event, FeedbackEvent)  # noqa: S101 - the topic decides the model
    said = dict(event.__dict__)
    if event.model_id is None:
        said.update(environment=None, operation_type=None, variant=None)
    return (
        *_feedback_fields(said),
        pseudonym(event.tenant_id, event.user_id) if event.user_id else None,
        to_json(event.metadata).decode() if event.metadata else None,
        *(event.comment, event.correction),
        *_coordinates(read),
    )


def alert_step_row(read: Read) -> Row:
    """One row of `performance_alert_steps`."""
    event = read.event
    assert isinstance(event, AlertEvent)  # noqa: S101 - the topic decides the model
    return (*_alert_step_fields(event.__dict__), *_coordinates(read))


def _coordinates(read: Read) -> Row:
    record = read.record
    return fingerprint(read.event), record.topic, record.partition, record.offset
