"""What an evaluation votes, who it is of, and that one that says nothing spoils no other."""

import json
from typing import Any

import pytest

from tests.unit.gateway.otlp.reading import NOON, judged

END = int(NOON.timestamp()) * 10**9
GENAI = "gen_ai.evaluation."
IDS = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "00000000000000aa"}
Said = dict[str, Any]


def pairs(said: Said) -> list[Said]:
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": name, "value": {kinds[type(one)]: one}} for name, one in said.items()]


def logged(*records: Said) -> tuple[list[Said], int, str]:
    """Feedback of log records with these attributes."""
    made = [
        {
            **IDS,
            "timeUnixNano": END,
            "eventName": "gen_ai.evaluation.result",
            "attributes": pairs(one),
        }
        for one in records
    ]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": made}]}]}
    found = judged(json.dumps(body).encode(), logs=True)
    return [json.loads(one.value) for one in found.feedback], found.rejected, found.message


def on_span(said: Said) -> tuple[list[Said], int, str]:
    """Feedback of a span with these attributes."""
    span = {
        **IDS,
        "startTimeUnixNano": END - 1,
        "endTimeUnixNano": END,
        "attributes": pairs(said),
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    found = judged(json.dumps(body).encode())
    return [json.loads(one.value) for one in found.feedback], found.rejected, found.message


@pytest.mark.parametrize(
    ("said", "voted"),
    [
        ({"name": "helpful", "score.value": 0.5}, {"helpful": True}),
        ({"name": "Helpfulness", "score.value": 0.49}, {"helpful": False}),
        ({"name": "ACCURACY", "score.value": 1}, {"accurate": True}),
        ({"name": "relevant", "score.value": True}, {"relevant": True}),
        ({"name": "fast", "score.value": -1.0}, {"fast": False}),
        ({"name": "relevance", "score.label": "Not relevant"}, {"relevant": False}),
        ({"name": "accurate", "score.label": "pass"}, {"accurate": True}),
        ({"name": "rating", "score.value": 4.6}, {"rating": 5}),
        ({"name": "rating", "score.label": "2"}, {"rating": 2}),
    ],
)
def test_an_aspect_or_a_rating_is_a_vote(said: Said, voted: Said) -> None:
    (event,), rejected, message = logged({f"{GENAI}{name}": one for name, one in said.items()})
    assert {name: event[name] for name in voted} == voted
    assert "metadata" not in event
    assert (rejected, message) == (0, "")


@pytest.mark.parametrize(
    ("said", "comment", "metadata"),
    [
        ({"name": "rating", "score.value": 80}, "rating: 80.0", {"rating": 80.0}),
        ({"name": "toxicity", "score.value": -0.5}, "toxicity: -0.5", {"toxicity": -0.5}),
        ({"name": "tone", "score.label": "warm"}, "tone: warm", {"tone": "warm"}),
        ({"name": "helpful", "score.label": "meh"}, "helpful: meh", {"helpful": "meh"}),
        ({"name": "tone", "explanation": "It is warm."}, "It is warm.", {"evaluation": "tone"}),
    ],
)
def test_any_other_is_kept_in_metadata_and_said_in_words(
    said: Said, comment: str, metadata: Said
) -> None:
    (event,), _, _ = logged({f"{GENAI}{name}": one for name, one in said.items()})
    assert (event["comment"], event["metadata"]) == (comment, metadata)


@pytest.mark.parametrize(
    ("said", "source", "author"),
    [
        ({}, "code", "evaluation:fast"),
        ({f"{GENAI}explanation": "Two seconds."}, "model", "evaluation:fast"),
        ({"gen_ai.request.model": "judge"}, "model", "judge"),
        ({"assay.source": "reviewer", "assay.user_id": "ann"}, "reviewer", "ann"),
        ({"assay.source": "nobody"}, "code", "evaluation:fast"),
    ],
)
def test_who_judged(said: Said, source: str, author: str) -> None:
    vote = {f"{GENAI}name": "fast", f"{GENAI}score.value": 1}
    (event,), _, _ = logged(vote | said)
    assert (event["source"], event["user_id"]) == (source, author)


def test_the_model_of_a_judged_span_is_not_its_judge() -> None:
    vote = {f"{GENAI}name": "fast", f"{GENAI}score.value": 1}
    (event,), _, _ = on_span(vote | {"gen_ai.request.model": "judged", "assay.user_id": "u"})
    assert (event["source"], event["user_id"]) == ("code", "evaluation:fast")


def test_one_that_says_nothing_spoils_no_other() -> None:
    events, rejected, message = on_span(
        {
            "annotations.0.annotation.name": "empty",
            "annotations.1.annotation.name": "fast",
            "annotations.1.annotation.label": "yes",
            "evaluations.0.evaluation.score": 1.0,
            "evaluations.1.evaluation.name": "helpful",
            "evaluations.1.evaluation.score": 1.0,
            "evaluations.1.evaluation.annotator_kind": "LLM",
        }
    )
    assert [(one.get("fast"), one.get("helpful")) for one in events] == [(True, None), (None, True)]
    assert [one["source"] for one in events] == ["code", "model"]
    assert rejected == 0
    assert "needs a score" in message
    assert "evaluation.name is missing" in message


def test_evaluations_of_one_span_are_events_of_their_own_and_a_repeat_is_the_same() -> None:
    names = [{f"{GENAI}name": name, f"{GENAI}score.value": 1} for name in ("fast", "helpful")]
    first, second = logged(*names)[0], logged(*reversed(names))[0]
    assert len({one["event_id"] for one in first}) == 2
    assert {one["event_id"] for one in first} == {one["event_id"] for one in second}
