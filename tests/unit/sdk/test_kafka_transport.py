"""Straight to Kafka, by a producer made for the test: within bounds, and whose fault it is."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest
from aiokafka import errors

from assay_sdk import Assay, courier
from assay_sdk.events import Encoded
from assay_sdk.transports import KafkaTransport, Later, Sent
from tests.unit.sdk.test_client import Sink, client

EVENT = Encoded("operations", b"k", b"{}", [])


class Producer:
    """Answers every record as it is told."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def send(self, *_: Any, **__: Any) -> Awaitable[None]:
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.error is None:
            ack.set_result(None)
        else:
            ack.set_exception(self.error)
        return ack

    async def stop(self) -> None:
        pass


class Broker(KafkaTransport):
    """Kafka with such a producer."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("localhost:1", "ai.", {})
        self.error = error

    async def _started(self) -> Any:
        return Producer(self.error)


@pytest.mark.parametrize(
    ("error", "is_odd"),
    [
        (errors.MessageSizeTooLargeError(), True),
        (errors.InvalidTopicError(), True),
        (errors.PolicyViolationError(), True),
        (ValueError("password"), True),
        (errors.KafkaTimeoutError(), False),
        (errors.KafkaConnectionError(), False),
        (errors.NotEnoughReplicasError(), False),
        (errors.TopicAuthorizationFailedError(), False),
        (errors.AuthenticationFailedError(), False),
        (ConnectionResetError(), False),
    ],
    ids=repr,
)
def test_only_a_fault_of_the_events_own_is_given_up_in_the_end(
    error: Exception, is_odd: bool
) -> None:
    with pytest.raises(Later) as raised:
        asyncio.run(Broker(error).send([EVENT]))
    assert raised.value.is_odd is is_odd
    assert "password" not in str(raised.value)


def test_an_event_that_the_broker_never_takes_keeps_no_other_back_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT_S", 0.001)
    broker = Broker(errors.MessageSizeTooLargeError())
    assay = Assay(lambda: broker, tenant_id="acme")
    assay.log(model_id="m", success=True, response_time_ms=1)
    assert assay.flush() == (0, 1, 0)
    assert assay.counters.read() == {"dropped:failed": 1}
    broker.error = None
    assay.log(model_id="m", success=True, response_time_ms=1)
    assert assay.close() == (1, 0, 0)


def test_no_batch_holds_more_bytes_than_a_slow_line_carries_in_time() -> None:
    sizes: list[int] = []

    class Scales(Sink):
        async def send(self, events: Sequence[Encoded]) -> Sent:
            sizes.append(sum(len(event.value) for event in events))
            return await super().send(events)

    sink = Scales()
    sink.open.clear()
    assay = client(sink, capture_content=True)
    for _ in range(50):
        assay.log(model_id="m", success=True, response_time_ms=1, input_text="x" * 60_000)
    sink.open.set()
    assert assay.close() == (50, 0, 0)
    assert max(sizes) <= courier.MOST_BYTES_AT_ONCE
