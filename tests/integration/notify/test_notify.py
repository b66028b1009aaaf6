"""notify on real servers: each step told once, in order, whatever another channel does."""

from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notify.app import run
from tests.integration.notify.conftest import World, soon, until_log
from tests.support.alerts import step
from tests.support.receiver import Receiver
from tests.support.system import running
from tests.support.waiting import eventually

SECRET = "whsec_" + b64encode(b"only for tests, long enough").decode()

Make = Callable[..., Awaitable[UUID]]


def answering(*statuses: int) -> Callable[[], int]:
    """Answer with each in turn, then 200."""
    left = chain(statuses, repeat(200))
    return lambda: next(left)


async def test_a_webhook_hears_each_step_once_signed_and_in_order(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/signed", secret=SECRET)
    steps = [
        step(1, "pending", "signed"),
        step(2, "firing", "signed"),
        step(3, "acknowledged", "signed"),
        step(4, "resolved", "signed"),
    ]
    await world.tell(*steps, *steps)
    await until_log(world, channel, [(one.state, "delivered") for one in steps[1:]])
    got = receiver.at("/signed")
    told = [Webhook(SECRET).verify(one.body, one.headers) for one in got]
    assert [one["data"]["event_id"] for one in told] == [str(one.event_id) for one in steps[1:]]
    assert len({one.headers["webhook-id"] for one in got}) == 3
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(got[0].body + b" ", got[0].headers)


async def test_a_failing_channel_is_tried_again_with_the_same_id_and_keeps_its_order(
    world: World, receiver: Receiver, only: Make
) -> None:
    receiver.answers["/failing"] = answering(500, 503, 404)
    channel = await only(f"{receiver.url}/failing")
    await world.tell(step(2, "firing", "failing"), step(3, "resolved", "failing"))
    await until_log(world, channel, [("firing", "delivered"), ("resolved", "delivered")])
    got = receiver.at("/failing")
    assert [one.content["type"] for one in got] == ["alert.firing"] * 4 + ["alert.resolved"]
    assert len({one.headers["webhook-id"] for one in got[:4]}) == 1


async def test_a_channel_that_hangs_holds_up_no_other(
    world: World, receiver: Receiver, only: Make
) -> None:
    receiver.answers["/hangs"] = lambda: 0
    hanging = [await only(f"{receiver.url}/hangs") for _ in range(12)]
    quick = await only(f"{receiver.url}/quick")
    await world.tell(step(2, "firing", "quick"))
    await until_log(world, quick, [("firing", "delivered")])
    assert ("firing", "delivered") not in chain(*[await world.log(one) for one in hanging])
    await eventually(lambda: receiver.hangs >= 12, why="all hanging ones were tried")


async def test_slack_is_not_told_again_what_it_may_have_heard(
    world: World, receiver: Receiver, only: Make
) -> None:
    receiver.answers["/slack-hangs"] = lambda: 0
    channel = await only(f"{receiver.url}/slack-hangs", "slack")
    await world.tell(step(2, "firing", "slack"))
    await until_log(world, channel, [("firing", "unknown")])
    receiver.answers["/slack-hangs"] = lambda: 200
    await world.tell(step(3, "resolved", "slack"))
    await until_log(world, channel, [("firing", "unknown"), ("resolved", "delivered")])
    assert len(receiver.at("/slack-hangs")) == 2


async def test_slack_hears_of_many_alerts_in_few_messages(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/slack-many", "slack")
    await world.tell(*(step(2, "firing", f"many {n}") for n in range(30)))
    await until_log(world, channel, [("firing", "delivered")] * 30)
    got = receiver.at("/slack-many")
    assert sum(len(one.content["blocks"]) for one in got) == 30
    assert len(got) < 15


async def test_a_silence_holds_an_alert_back_until_it_ends(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/silenced")
    await world.silence('{"model_id": "quiet", "environment": "production"}', soon(600))
    labels = {"model_id": "quiet", "environment": "production"}
    firing = step(2, "firing", "silenced", model_id="quiet", labels=labels)
    short = step(2, "firing", "short", model_id="quiet", labels=labels)
    await world.tell(firing, short)
    await until_log(world, channel, [("firing", "silenced")] * 2)
    await world.tell(step(3, "resolved", "short", model_id="quiet", labels=labels))
    held = [("firing", "silenced")] * 2
    await until_log(world, channel, [*held, ("resolved", "skipped")])
    assert receiver.at("/silenced") == []
    await world.sql("DELETE FROM silences")
    await eventually(lambda: receiver.at("/silenced"), why="what still fires is told")

    async def written() -> bool:
        states = {state for _, state in await world.log(channel)}
        return states == {"delivered", "silenced", "skipped"}

    await eventually(written, why="what came of it is written down")
    assert [one.content["data"]["alert_id"] for one in receiver.at("/silenced")] == [
        str(firing.alert_id)
    ]


async def test_a_warning_waits_while_the_same_group_is_critical(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/inhibited")
    await world.tell(step(2, "firing", "louder", severity="critical", rule_name="worse"))
    await until_log(world, channel, [("firing", "delivered")])
    await world.tell(step(2, "firing", "softer"))
    await until_log(world, channel, [("firing", "delivered"), ("firing", "inhibited")])
    await world.tell(step(3, "resolved", "louder", severity="critical", rule_name="worse"))
    states = [("firing", "delivered"), ("firing", "delivered"), ("resolved", "delivered")]
    await until_log(world, channel, states)


async def test_alertmanager_is_reminded_until_the_alert_ends(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/am", "alertmanager", "token")
    path = "/am/api/v2/alerts"
    await world.tell(step(2, "firing", "reminded"))
    await eventually(lambda: len(receiver.at(path)) >= 3, why="it is told again and again")
    assert await world.log(channel) == [("firing", "delivered")]
    assert receiver.at(path)[0].headers["authorization"] == "Bearer token"
    await world.tell(step(3, "resolved", "reminded"))
    await until_log(world, channel, [("firing", "delivered"), ("resolved", "delivered")])
    due = "SELECT 1 FROM notification_deliveries WHERE channel_id = $1 AND due_at IS NOT NULL"
    assert await world.sql(due, channel) == []


async def test_two_processes_tell_each_step_once(
    world: World, receiver: Receiver, only: Make
) -> None:
    channels = [await only(f"{receiver.url}/two/{n}") for n in range(5)]
    async with running(run(world.settings)):
        await world.tell(*(step(2, "firing", f"two {n}") for n in range(40)))
        for one in channels:
            await until_log(world, one, [("firing", "delivered")] * 40)
    for n in range(5):
        ids = Counter(one.headers["webhook-id"] for one in receiver.at(f"/two/{n}"))
        assert set(ids.values()) == {1}
        assert len(ids) == 40


async def test_no_alert_of_another_tenant_is_told(
    world: World, receiver: Receiver, only: Make
) -> None:
    await only(f"{receiver.url}/ours")
    await world.tell(step(2, "firing", "foreign", tenant_id="globex"), step(2, "firing", "ours"))
    (got,) = await eventually(lambda: receiver.at("/ours"), why="ours is told")
    assert got.content["data"]["tenant_id"] == "acme"
    rows = await world.sql("SELECT DISTINCT tenant_id FROM notification_deliveries")
    assert [row[0] for row in rows] == ["acme"]


async def test_a_channel_is_removed_while_it_is_sent_to(
    world: World, receiver: Receiver, only: Make
) -> None:
    for turn in range(8):
        channel = await only(f"{receiver.url}/removed/{turn}")
        await world.tell(*(step(2, "firing", f"removed {turn} {n}") for n in range(10)))
        await eventually(lambda at=turn: receiver.at(f"/removed/{at}"), why="it is sent to")
        # Deliveries are being marked and settled meanwhile: neither waits for the other in vain.
        await world.sql("DELETE FROM notification_channels WHERE channel_id = $1", channel)
        assert await world.log(channel) == []
