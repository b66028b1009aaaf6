"""Steps of A/B tests on real servers: each told once, in order, beside alerts."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from uuid import UUID

from standardwebhooks import Webhook

from tests.integration.notify.conftest import World, soon, until_log
from tests.support.alerts import step
from tests.support.experiments import told
from tests.support.receiver import Receiver
from tests.support.waiting import eventually

SECRET = "whsec_" + b64encode(b"only for tests, long enough").decode()

Make = Callable[..., Awaitable[UUID]]


async def test_a_webhook_hears_each_step_of_a_test_once_signed_and_in_order(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/tests", secret=SECRET)
    steps = [
        told("one", "running", actor="key:one"),
        told("one", "running", "KEEP_RUNNING"),
        told("one", "running", "SHIP"),
        told("one", "stopped", "SHIP", actor="key:one"),
    ]
    await world.tell_of_tests(*steps, *steps)
    words = ["running", "keep_running", "ship", "stopped"]
    await until_log(world, channel, [(word, "delivered") for word in words])
    got = receiver.at("/tests")
    bodies = [Webhook(SECRET).verify(one.body, one.headers) for one in got]
    assert [one["type"] for one in bodies] == [f"experiment.{word}" for word in words]
    assert [one["data"]["event_id"] for one in bodies] == [str(one.event_id) for one in steps]


async def test_alerts_and_tests_go_to_the_same_channels_where_they_are_understood(
    world: World, receiver: Receiver, only: Make
) -> None:
    slack = await only(f"{receiver.url}/both", "slack")
    pager = await only(f"{receiver.url}/pager", "pagerduty", "key")
    await world.tell_of_tests(told("both", "paused", "STOP_HARM"))
    await until_log(world, slack, [("stop_harm", "delivered")])
    await until_log(world, pager, [("stop_harm", "skipped")])
    await world.tell(step(2, "firing", "both"))
    await until_log(world, slack, [("stop_harm", "delivered"), ("firing", "delivered")])
    await until_log(world, pager, [("stop_harm", "skipped"), ("firing", "delivered")])
    assert "Ship b: success rate" in receiver.at("/both")[0].body.decode()


async def test_a_silence_holds_a_test_back_and_its_last_step_is_told_when_it_ends(
    world: World, receiver: Receiver, only: Make
) -> None:
    channel = await only(f"{receiver.url}/quiet")
    await world.silence('{"test_key": "quiet"}', soon(600))
    await world.tell_of_tests(told("quiet", "running", "COLLECTING"))
    await until_log(world, channel, [("collecting", "silenced")])
    await world.tell_of_tests(told("quiet", "running", "SHIP"), told("loud", "running", "SHIP"))
    await eventually(lambda: receiver.at("/quiet"), why="the other test is told of")
    held = [("collecting", "silenced"), ("ship", "silenced"), ("ship", "delivered")]
    await until_log(world, channel, held)
    await world.sql("DELETE FROM silences")
    await until_log(world, channel, [("collecting", "silenced"), *[("ship", "delivered")] * 2])
    keys = [one.content["data"]["key"] for one in receiver.at("/quiet")]
    assert keys == ["loud", "quiet"]
