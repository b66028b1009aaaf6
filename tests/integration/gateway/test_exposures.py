"""What the gateway tells of A/B tests on Kafka: exposures once, and every step of their lives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from assay_sdk import Assay, Experiment
from shared.codec import parse
from shared.events.experiment import ExperimentEvent
from shared.events.exposure import ExposureEvent
from tests.integration.gateway.callers import Clients
from tests.support.experiments import body
from tests.support.waiting import eventually

ALL = "/ai/ab-tests"
FLAGS = "/ofrep/v1/evaluate/flags"


class Heard:
    """Records of both topics, from their beginning."""

    def __init__(self) -> None:
        self.records: list[ConsumerRecord] = []

    def exposures(self, test: dict[str, Any]) -> list[ExposureEvent]:
        found = [parse(ExposureEvent, one.value, one.headers) for one in self._of("exposures.v1")]
        return [one for one in found if one.test_id == test["id"]]

    def steps(self, test: dict[str, Any]) -> list[ExperimentEvent]:
        found = [
            parse(ExperimentEvent, one.value, one.headers) for one in self._of("experiments.v1")
        ]
        return [one for one in found if str(one.test_id) == test["id"]]

    def _of(self, topic: str) -> list[ConsumerRecord]:
        return [one for one in self.records if one.topic.endswith(topic)]


@pytest.fixture(scope="module")
async def heard(clients: Clients, kafka_bootstrap: str, topic_prefix: str) -> AsyncIterator[Heard]:
    """Whoever listens."""
    assert clients
    names = [f"{topic_prefix}{name}.v1" for name in ("exposures", "experiments")]
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    found = Heard()

    async def listen() -> None:
        async for record in consumer:
            found.records.append(record)

    async with consumer:
        task = asyncio.ensure_future(listen())
        yield found
        task.cancel()


async def started(clients: Clients, key: str, **changes: Any) -> dict[str, Any]:
    test = (await clients.admin.post(ALL, json=body(key=key, **changes))).json()
    answer = await clients.admin.post(f"{ALL}/{test['id']}/start", json={"note": "let us see"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def soon(condition: Callable[[], Any], why: str) -> None:
    await eventually(condition, why=why, deadline_s=20)


async def test_a_unit_is_told_of_once_per_variant_whichever_way_it_was_asked(
    clients: Clients, heard: Heard
) -> None:
    test = await started(clients, "once")
    path = f"{ALL}/{test['id']}/assignment"
    told = {}
    for _ in range(3):
        for number in range(10):
            told[f"u-{number}"] = (
                await clients.agent.get(path, params={"user_id": f"u-{number}"})
            ).json()["variant"]
            await clients.agent.post(
                f"{FLAGS}/once", json={"context": {"targetingKey": f"u-{number}"}}
            )
    await clients.agent.post(f"{FLAGS}/once", json={"context": {"targetingKey": "last"}})
    await soon(lambda: len(heard.exposures(test)) >= 11, "all units are told of")
    events = heard.exposures(test)
    assert len(events) == 11
    assert {one.unit_id: one.variant for one in events if one.unit_id != "last"} == told
    assert {one.epoch for one in events} == {1}
    assert {(one.context or {})["via"] for one in events} == {"assignment", "ofrep"}
    record = next(one for one in heard.records if one.topic.endswith("exposures.v1"))
    assert record.key.decode() == str(parse(ExposureEvent, record.value).event_id)
    assert ("ce_type", b"dev.assay.experiment.exposed.v1") in record.headers


async def test_nobody_is_told_of_who_was_not_really_shown_a_variant(
    clients: Clients, heard: Heard
) -> None:
    narrow = await started(clients, "narrow", traffic=0)
    asked = await started(clients, "asked")
    context = {"context": {"targetingKey": "quiet"}}
    for test in (narrow, asked):
        path = f"{ALL}/{test['id']}/assignment"
        await clients.agent.get(path, params={"user_id": "quiet", "expose": "false"})
        await clients.agent.post(f"{FLAGS}/{test['key']}", json=context, params={"expose": "false"})
        await clients.agent.get(path, params={"user_id": ""})
    await clients.agent.post(FLAGS, json=context)
    await clients.agent.get(f"{ALL}/{narrow['id']}/assignment", params={"user_id": "outside"})
    await clients.agent.get(f"{ALL}/{asked['id']}/assignment", params={"user_id": "shown"})
    await soon(lambda: heard.exposures(asked), "who was shown it is told of")
    assert [one.unit_id for one in heard.exposures(asked)] == ["shown"]
    assert heard.exposures(narrow) == []


async def test_every_step_is_told_with_who_took_it(clients: Clients, heard: Heard) -> None:
    test = await started(clients, "steps", traffic=0.5)
    path = f"{ALL}/{test['id']}"
    assert (await clients.admin.patch(path, json={"traffic": 0.7})).status_code == 200
    for action in ("pause", "stop"):
        assert (await clients.admin.post(f"{path}/{action}")).status_code == 200
    await soon(lambda: len(heard.steps(test)) == 4, "all steps are told")
    steps = heard.steps(test)
    assert [one.state for one in steps] == ["running", "running", "paused", "stopped"]
    assert [one.epoch for one in steps] == [1, 2, 2, 2]
    assert (steps[0].reason, steps[0].actor) == ("let us see", test["created_by"])
    assert (steps[0].verdict, steps[0].key) == (None, "steps")
    history = (await clients.viewer.get(path)).json()["history"]
    assert [one["reason"] for one in history] == [one.reason for one in steps]


async def test_a_client_that_assigns_by_itself_tells_of_its_exposures(
    clients: Clients, heard: Heard
) -> None:
    test = await started(clients, "offline")

    async def known() -> Any:
        items = (await clients.agent.get("/ai/assignable-tests")).json()["items"]
        return next((one for one in items if one["id"] == test["id"]), None)

    experiment = Experiment.from_answer(await eventually(known, why="the test is known"))
    key = clients.agent.headers["authorization"].removeprefix("Bearer ")
    assay = Assay.http(str(clients.agent.base_url), key)
    given = [assay.assignment(experiment, "u-1") for _ in range(3)]
    by_name = [await assay.aassignment(test[name], "u-1", wait_s=30) for name in ("key", "id")]
    assert by_name == given[:2]
    assay.assignment(experiment, "u-2", expose=False)
    assert (await asyncio.to_thread(assay.close)).complete
    await soon(lambda: heard.exposures(test), "the unit is told of")
    (event,) = heard.exposures(test)
    assert (event.unit_id, event.variant, event.epoch) == ("u-1", given[0][0].key, 1)
    path = f"{ALL}/{test['id']}/assignment"
    at = (await clients.agent.get(path, params={"user_id": "u-1"})).json()
    assert at["variant"] == event.variant
