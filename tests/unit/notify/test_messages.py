"""What each kind of channel is sent, word for word where others parse it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.notify.domain.delivery import Delivery, State, Target
from services.notify.domain.messages import messages
from shared.events.alert import AlertEvent
from shared.events.experiment import ExperimentEvent
from tests.support.alerts import alert_id, step
from tests.support.experiments import told

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
CHANNEL = UUID("0192f0c0-0000-7000-8000-0000000000c1")


def sent(
    kind: str, *events: AlertEvent | ExperimentEvent | None, past_severity: str | None = None
) -> list[tuple[str, dict[str, str], list[Any]]]:
    """URL, headers and bodies of what a channel is sent."""
    url = {"alertmanager": "https://example.com/am/"}.get(kind, "https://example.com/hook")
    target = Target("acme", CHANNEL, "ops", kind, url, "key", send_resolved=True)
    deliveries = [
        Delivery(uuid4(), State.PENDING, 0, NOW, event, past_severity=past_severity)
        for event in events
    ]
    found = messages(target, deliveries, NOW)
    assert [one for message in found for one in message.deliveries] == deliveries
    return [(one.url, one.headers, [json.loads(body) for body in one.bodies]) for one in found]


def test_a_webhook_is_one_step_with_its_whole_event() -> None:
    event = step(2, "firing", at=NOW)
    ((url, _, (body,)), second) = sent("webhook", event, step(3, "resolved", at=NOW))
    assert url == "https://example.com/hook"
    assert (body["type"], body["timestamp"]) == ("alert.firing", "2026-11-01T12:00:00Z")
    assert AlertEvent.model_validate_json(json.dumps(body["data"])) == event
    assert second[2][0]["type"] == "alert.resolved"
    ((_, _, (test,)),) = sent("webhook", None)
    assert test["type"] == "channel.test"


def test_slack_gets_one_message_for_all_and_agents_cannot_call_people() -> None:
    shout = step(2, "firing", "two", at=NOW, reason="<!channel> & <https://evil|click>")
    ((_, _, (body,)),) = sent("slack", step(2, "firing", at=NOW), shout)
    assert body["text"].startswith("2 alerts: [warning] errors: environment=production")
    assert len(body["blocks"]) == 2
    assert "<" not in json.dumps(body)
    assert "&lt;!channel&gt; &amp; " in body["blocks"][1]["text"]["text"]
    many = [step(2, "firing", str(n), at=NOW) for n in range(45)]
    assert [len(one[2][0]["blocks"]) for one in sent("slack", *many)] == [20, 20, 5]


def test_slack_texts_keep_within_its_limits() -> None:
    long = step(2, "firing", at=NOW, reason="x" * 2_048, rule_name="&" * 128)
    ((_, _, (body,)),) = sent("slack", *[long] * 20)
    assert len(body["text"]) <= 3_000
    assert all(len(one["text"]["text"]) <= 3_000 for one in body["blocks"])


def test_pagerduty_knows_an_alert_by_its_id() -> None:
    states = ("firing", "acknowledged", "resolved")
    found = sent("pagerduty", *(step(n, s, at=NOW) for n, s in enumerate(states, 2)))
    bodies = [bodies[0] for _, _, bodies in found]
    assert [one["event_action"] for one in bodies] == ["trigger", "acknowledge", "resolve"]
    assert {one["dedup_key"] for one in bodies} == {str(alert_id("one"))}
    assert {one["routing_key"] for one in bodies} == {"key"}
    assert bodies[0]["payload"]["severity"] == "warning"
    assert bodies[0]["payload"]["source"] == "gpt"
    ((_, _, (opened, closed)),) = sent("pagerduty", None)
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]


def test_alertmanager_hears_of_active_alerts_until_they_end() -> None:
    labels = {"model_id": "gpt", "environment": "production", "team-name": "a", "1st": "b"}
    firing = step(2, "firing", at=NOW, labels=labels)
    ((url, headers, (alerts,)),) = sent(
        "alertmanager", firing, step(3, "resolved", "two", at=NOW - timedelta(minutes=1))
    )
    assert url == "https://example.com/am/api/v2/alerts"
    assert headers["Authorization"] == "Bearer key"
    active, ended = alerts
    assert active["labels"]["alertname"] == "errors"
    assert (active["labels"]["team_name"], active["labels"]["_1st"]) == ("a", "b")
    assert active["startsAt"] < active["endsAt"] == "2026-11-01T12:04:00Z"
    assert ended["endsAt"] == "2026-11-01T11:59:00Z"


def test_alertmanager_hears_that_the_softer_alert_has_ended() -> None:
    risen = step(3, "firing", at=NOW, severity="critical")
    ((_, _, (alerts,)),) = sent("alertmanager", risen, past_severity="warning")
    found = {one["labels"]["severity"]: one["endsAt"] > "2026-11-01T12:00:00Z" for one in alerts}
    assert found == {"critical": True, "warning": False}


def test_a_webhook_names_a_verdict_that_was_reached_or_the_state_somebody_chose() -> None:
    shipped = told("b", "running", "SHIP", NOW)
    events = (
        shipped,
        told("b", "paused", "STOP_HARM", NOW),
        told("b", "running", "SHIP", NOW, actor="key:one"),
        told("b", "stopped", None, NOW),
    )
    bodies = [body for _, _, (body,) in sent("webhook", *events)]
    assert [body["type"] for body in bodies] == [
        "experiment.ship",
        "experiment.stop_harm",
        "experiment.running",
        "experiment.stopped",
    ]
    assert ExperimentEvent.model_validate_json(json.dumps(bodies[0]["data"])) == shipped


def test_slack_hears_what_an_ab_test_recommends() -> None:
    shipped = told("b", "running", "SHIP", NOW, name="Is <b> better?")
    ((_, _, (body,)),) = sent("slack", shipped)
    assert body["text"] == "[ship] Is &lt;b&gt; better?: test=b"
    assert body["blocks"][0]["text"]["text"].endswith(
        "\nShip b: success rate +2.1 points (0.9 to 3.3)."
    )
    ((_, _, (both,)),) = sent("slack", shipped, step(2, "firing", at=NOW))
    assert both["text"].startswith("2 messages: ")
