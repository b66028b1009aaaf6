"""The stock OpenFeature client understands our flags, and everybody places a unit alike."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason

from assay_sdk import Experiment, assign
from services.gateway.domain.experiments import EPOCHS
from shared.experiments.assignment import assign as assign_here
from tests.integration.gateway.callers import Clients
from tests.support.experiments import body, weighted
from tests.support.waiting import eventually

ALL = "/ai/ab-tests"
OVER_HTTP = 100_000 if os.environ.get("NIGHTLY") else 2_000
HASHED = 100_000
AT_ONCE = 8
PORTION = 2_000


@pytest.fixture(scope="module")
def stock(clients: Clients) -> Iterator[OpenFeatureClient]:
    """As their documentation has it: an address and a credential."""
    bearer = {"Authorization": clients.agent.headers["authorization"]}
    api.set_provider(
        OFREPProvider(str(clients.agent.base_url), headers_factory=lambda: bearer), "assay"
    )
    yield api.get_client("assay")
    api.shutdown()


async def changed(clients: Clients, key: str) -> dict[str, Any]:
    """A running test that was widened with other weights: two epochs place its units."""
    made = body(key=key, traffic=0.4, variants=weighted(a=0.5, b=0.25, c=0.25))
    path = f"{ALL}/{(await clients.admin.post(ALL, json=made)).json()['id']}"
    assert (await clients.admin.post(f"{path}/start")).status_code == 200
    wider = {"traffic": 0.8, "variants": weighted(a=0.2, b=0.4, c=0.4)}
    assert (await clients.admin.patch(path, json=wider)).status_code == 200
    return dict((await clients.viewer.get(path)).json())


def asked(stock: OpenFeatureClient, key: str, unit: str) -> FlagEvaluationDetails[str]:
    return stock.get_string_details(key, "my-own-model", EvaluationContext(unit, {"plan": "gold"}))


async def by_the_stock_client(
    stock: OpenFeatureClient, units: list[str]
) -> list[FlagEvaluationDetails[str]]:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asking = (loop.run_in_executor(pool, asked, stock, "stock", unit) for unit in units)
        return await asyncio.gather(*asking)


async def by_plain_http(clients: Clients, test_id: str, units: list[str]) -> list[dict[str, Any]]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(unit: str) -> dict[str, Any]:
        query = {"user_id": unit, "expose": "false"}
        async with turns:
            answer = await clients.agent.get(f"{ALL}/{test_id}/assignment", params=query)
        return dict(answer.json())

    return await asyncio.gather(*(ask(unit) for unit in units))


async def test_the_stock_client_plain_http_and_our_client_agree(
    clients: Clients, stock: OpenFeatureClient
) -> None:
    """Of 100,000 units with NIGHTLY=1, of 2,000 without."""
    test = await changed(clients, "stock")
    offline = Experiment.from_answer(test)
    seen: set[tuple[str, int | None]] = set()
    for first in range(0, OVER_HTTP, PORTION):
        units = [f"user-{number}" for number in range(first, first + PORTION)]
        flags = await by_the_stock_client(stock, units)
        plain = await by_plain_http(clients, test["id"], units)
        for unit, flag, at in zip(units, flags, plain, strict=True):
            variant, takes_part = assign(offline, unit)
            assert (at["variant"], at["model_id"], at["in_test"]) == (
                *(variant.key, variant.model_id),
                takes_part,
            )
            told = (flag.variant, flag.value, flag.reason)
            if takes_part:
                assert told == (variant.key, variant.model_id, Reason.SPLIT)
            else:
                assert told == ("", "my-own-model", Reason.DEFAULT)
            assert flag.error_code is None
            seen.add((at["variant"], at["epoch"]))
    print(f"{OVER_HTTP} units: the stock client, plain HTTP and our client agree")
    assert seen == {(key, epoch) for key in "abc" for epoch in (1, 2)} | {("a", None)}


async def test_our_client_and_the_gateway_agree_on_100_000_units(clients: Clients) -> None:
    test = await changed(clients, "hashed")
    epochs = EPOCHS.validate_python(test["epochs"])
    offline, units = Experiment.from_answer(test), (f"unit-{n}" for n in range(HASHED))
    taking_part = 0
    for unit in units:
        variant, takes_part = assign(offline, unit)
        placed = assign_here("hashed", None, epochs, unit)
        assert (placed.variant if placed else "a", placed is not None) == (variant.key, takes_part)
        taking_part += takes_part
    assert taking_part / HASHED == pytest.approx(0.8, abs=0.01)


async def test_the_stock_client_falls_back_to_its_own_default_and_is_told_why(
    clients: Clients, stock: OpenFeatureClient
) -> None:
    def told(key: str, unit: str) -> FlagEvaluationDetails[str]:
        return asked(stock, key, unit)

    unknown = await asyncio.to_thread(told, "never-made", "user-1")
    assert (unknown.value, unknown.error_code) == ("my-own-model", ErrorCode.FLAG_NOT_FOUND)
    test = await changed(clients, "paused")
    nobody = await asyncio.to_thread(told, "paused", "")
    assert (nobody.value, nobody.error_code) == ("my-own-model", ErrorCode.TARGETING_KEY_MISSING)
    number = await asyncio.to_thread(
        stock.get_integer_details, "paused", 7, EvaluationContext("user-1")
    )
    assert number.value == 7
    await clients.admin.post(f"{ALL}/{test['id']}/pause")

    async def paused() -> bool:
        return (await asyncio.to_thread(told, "paused", "user-1")).reason == Reason.DISABLED

    await eventually(paused, why="the gateway knows that it is paused")
    assert (await asyncio.to_thread(told, "paused", "user-1")).value == "my-own-model"
