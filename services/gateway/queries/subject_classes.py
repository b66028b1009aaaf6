"""What of each table is told to a person, and how its rows are found.

A line is a whole row as JSON less what is listed here: a new column is told unless somebody says
why not. `tests/integration/privacy/test_export_catalogue.py` holds the lists against the database.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

COORDINATES = ("payload_hash", "kafka_topic", "kafka_partition", "kafka_offset")
_NOT_OWN_OPERATION = (
    "NOT EXISTS (SELECT FROM ai_model_operations AS o WHERE o.tenant_id = $1"
    " AND o.operation_id = t.operation_id AND o.user_pseudonym = $2::text)"
)
_EVENT = "t.event_id::text || ' ' || t.occurred_at::text"
# A text that the person gave, among what was made of texts of many.
_HERS = (
    "EXISTS (SELECT FROM feedback_analysis AS a WHERE a.tenant_id = $1"
    " AND a.operation_id = t.operation_id AND a.user_pseudonym = $2::text"
    " AND btrim(a.correction, E' \\t\\r\\n') = btrim({text}, E' \\t\\r\\n'))"
)
_GIVEN = "CASE t.kind WHEN 'correction' THEN t.output ELSE t.correction END"
_GIVEN_NAME = "CASE t.kind WHEN 'correction' THEN 'output' ELSE 'correction' END"
_IS_HERS = _HERS.format(text=f"({_GIVEN})")


class Walk(NamedTuple):
    """A table that names the person, walked by time."""

    name: str
    holds: str
    table: str
    without: tuple[str, ...] = ()


class Follow(NamedTuple):
    """A table that names operations: those of the person (`operations`), or those of which the
    person has said something (`feedback`)."""

    name: str
    holds: str
    table: str
    of: str
    key: str
    """Tells rows of an operation apart."""
    without: tuple[str, ...] = ()
    line: str = "to_jsonb(t)"
    where: str = "true"
    operation: str = "t.operation_id"


class Named(NamedTuple):
    """A table with few rows of a person, each told by a key."""

    name: str
    holds: str
    table: str
    key: str
    where: str
    without: tuple[str, ...] = ()
    line: str = "to_jsonb(t)"


class Special(NamedTuple):
    """What no single table tells."""

    name: str
    holds: str
    table: str
    without: tuple[str, ...] = ()


Class = Walk | Follow | Named | Special

_OTHERS = "t.user_pseudonym IS DISTINCT FROM $2::text"
# Of a row of training data, the person's own operation; a text that another has given is not told.
_TRAINING = f"CASE WHEN {_IS_HERS} THEN to_jsonb(t) ELSE to_jsonb(t) - {_GIVEN_NAME} END"
# Of another's operation, nothing but the text that the person has given.
_GIVEN_ONLY = (
    f"(to_jsonb(t) - '{{input,output,correction}}'::text[])"
    f" || jsonb_build_object({_GIVEN_NAME}, {_GIVEN})"
)
_IN_TESTS = (
    "t.test_id IN (SELECT test_id FROM ab_tests AS x WHERE x.tenant_id = $1) AND t.unit = $2::text"
)
_OF_SESSIONS = (
    "EXISTS (SELECT FROM ab_events AS e WHERE e.tenant_id = $1 AND e.operation_id = ANY($3)"
    " AND e.kind = 'o' AND e.test_id = t.test_id AND e.unit = t.unit) AND t.unit <> $2::text"
)
_HER_FEEDBACK = (
    "EXISTS (SELECT FROM user_feedback AS f WHERE f.tenant_id = $1 AND f.event_id = t.event_id"
    " AND f.occurred_at = t.occurred_at AND f.user_pseudonym = $2::text)"
)
_STANDS = (
    "to_jsonb(t) || jsonb_build_object('stands', (SELECT coalesce(jsonb_agg(s), '[]')"
    " FROM jsonb_array_elements(t.stands) AS s WHERE s ->> 0 = 'user:' || $2::text))"
)

CLASSES: Final[tuple[Class, ...]] = (
    Walk("operations", "Calls of models for this person.", "ai_model_operations", COORDINATES),
    Walk("feedback", "What this person said of operations.", "user_feedback", COORDINATES),
    Walk("feedback_analysis", "How that was read.", "feedback_analysis"),
    Follow(
        "feedback_of_others",
        "How others judged this person's operations, without their names and words.",
        *("user_feedback", "operations", _EVENT),
        (*COORDINATES, "user_pseudonym", "comment", "correction", "metadata"),
        where=_OTHERS,
    ),
    Follow(
        "feedback_analysis_of_others",
        "How that was read.",
        *("feedback_analysis", "operations", _EVENT, ("user_pseudonym", "correction")),
        where=_OTHERS,
    ),
    Follow(
        "training_rows",
        "Training data made of this person's operations; texts that others gave are left away.",
        *("model_training_data", "operations", "t.row_id::text", ("content_hash", "input_hash")),
        _TRAINING,
    ),
    Follow(
        "training_rows_of_corrections",
        "Texts that this person gave for operations of others, as training data.",
        *("model_training_data", "feedback", "t.row_id::text", ("content_hash", "input_hash")),
        *(_GIVEN_ONLY, f"{_IS_HERS} AND {_NOT_OWN_OPERATION}"),
    ),
    Follow(
        "dataset_rows",
        "The same in frozen datasets.",
        *("dataset_rows", "operations", "t.dataset_id::text || ' ' || t.position::text"),
        *(("input_hash",), _TRAINING),
    ),
    Follow(
        "dataset_rows_of_corrections",
        "The same in frozen datasets.",
        *("dataset_rows", "feedback", "t.dataset_id::text || ' ' || t.position::text"),
        *(("input_hash",), _GIVEN_ONLY, f"{_IS_HERS} AND {_NOT_OWN_OPERATION}"),
    ),
    Follow(
        "training_blocks",
        "Rows that were taken out of training data for good.",
        *("training_blocks", "operations", "t.row_id::text"),
    ),
    Follow(
        "training_changes",
        "Changes of training data that were told to others; without texts.",
        *("training_changes", "operations", "t.change_id::text"),
    ),
    Follow(
        "rated_operations",
        "What feedback knows of this person's operations.",
        *("feedback_operations", "operations", "''", ("told_stands",), _STANDS),
    ),
    Follow(
        "rated_operations_of_others",
        "What it knows of those of which this person said something.",
        *("feedback_operations", "feedback", "''", ("told_stands",), _STANDS),
        where=_NOT_OWN_OPERATION,
    ),
    Follow(
        "review_items",
        "Operations that were to be reviewed.",
        *("review_items", "operations", "t.queue_id::text"),
    ),
    Follow(
        "reviews",
        "What reviewers said of them, without their names and words.",
        *("review_takes", "operations", "t.queue_id::text || ' ' || t.place::text", ("reviewer",)),
        "to_jsonb(t) || jsonb_build_object('said', t.said - 'comment' - 'correction')",
    ),
    Special("own_reviews", "What this person said as a reviewer.", "review_takes", ("reviewer",)),
    Named(
        "ab_tests",
        "A/B tests in which this person counts, and for what.",
        *("ab_units", "t.test_id::text", _IN_TESTS),
    ),
    Named(
        "ab_events",
        "What of this person was counted there.",
        *("ab_events", f"t.test_id::text || ' ' || {_EVENT}", _IN_TESTS),
    ),
    Named(
        "ab_past",
        "What was counted of before a test.",
        *("ab_past", "t.test_id::text", _IN_TESTS),
    ),
    Follow(
        "ab_events_of_sessions",
        "Operations that count for another unit than the person, such as a session.",
        *("ab_events", "operations", f"t.test_id::text || ' ' || {_EVENT}"),
        where="t.kind = 'o' AND t.unit <> $2::text",
    ),
    Follow(
        "ab_sessions",
        "Those units; one may stand here several times.",
        *("ab_units", "operations", "t.test_id::text || ' ' || t.unit"),
        where=_OF_SESSIONS,
        operation="''",
    ),
    Follow(
        "ab_waiting",
        "Feedback that waits for its operation to be counted.",
        *("ab_waiting", "feedback", _EVENT),
        where=_HER_FEEDBACK,
    ),
    Named(
        "rater_reliability",
        "How far this person agrees with others who rate.",
        *("rater_reliability", "t.rater", "t.rater = 'user:' || $2::text"),
    ),
    Named(
        "rater_pairs",
        "With how many others, whose names are left away.",
        *("rater_pairs", "t.one || ' ' || t.other", "'user:' || $2::text IN (t.one, t.other)"),
        ("one", "other"),
    ),
    Special("dead_letters", "Records that could not be read and bear the name.", "dead_letters"),
    Named(
        "erasures",
        "Erasures of this person that were asked for.",
        *(
            "erasures",
            "t.erasure_id::text",
            "(t.subject_hash = $4 OR t.subject ->> 'user_id' = $2::text)",
        ),
        ("subject",),
    ),
)
DESCRIBED: Final[Mapping[str, str]] = {one.name: one.holds for one in CLASSES}

DIGEST = "a digest of what is told"
OTHERS = "another person's name or words"
LEFT_OUT: Final[Mapping[str, str]] = {
    "ai_model_operations.payload_hash": DIGEST,
    "user_feedback.payload_hash": DIGEST,
    "model_training_data.content_hash": DIGEST,
    "model_training_data.input_hash": DIGEST,
    "dataset_rows.input_hash": DIGEST,
    "feedback_operations.told_stands": "a copy of `stands` of some seconds before",
    "review_takes.reviewer": "for others " + OTHERS + "; of the person it is the name given",
    "rater_pairs.one": "one is the person, the other " + OTHERS,
    "rater_pairs.other": "one is the person, the other " + OTHERS,
    "erasures.subject": "the person's pseudonym, or what a filter names besides",
    "feedback_due.operation_id": "work to be done with an operation that is told; gone in seconds",
    "erasure_due.operation_id": "work to be done with an operation that is being erased",
    "erasure_due.replaced_by": "a random name",
    "subject_exports.subject": "of exports as this one",
    "subject_exports.known": "of exports as this one",
    "subject_exports.position": "of exports as this one",
    "subject_export_parts.operations": "of exports as this one",
    "subject_export_parts.body": "of exports as this one",
}
"""Columns that can hold a person and are told in no class at all, and why."""
