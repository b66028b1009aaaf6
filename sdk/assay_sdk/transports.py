"""Ways to send: straight to Kafka, or over HTTP to the gateway."""

import asyncio
import contextlib
import http.client
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from assay_sdk.events import Encoded

PATHS = {
    "operations": "/ai/operations/log",
    "feedback": "/ai/feedback/submit",
    "exposures": "/ai/exposures/log",
}
MOST_PER_POST = 200
ACK_TIMEOUT_S = 10.0
HTTP_TIMEOUT_S = 15.0
ACCEPTED, UNPROCESSABLE = 202, 422
WORTH_ANOTHER_TRY = (408, 429, 500, 502, 503, 504)


class Sent(NamedTuple):
    """How a batch went: taken, refused for good."""

    taken: int
    refused: int
    refused_at: Sequence[int] = ()
    """Places in the batch of those that were refused, as far as the other side says."""


class Later(Exception):  # noqa: N818 - an outcome, not a fault
    """Nothing is certain; send the same bytes again, not before `after_s`.

    `is_odd`: nobody foresaw this, and it may be the events' own fault.
    """

    def __init__(self, why: str, after_s: float = 0.0, *, is_odd: bool = False) -> None:
        super().__init__(why)
        self.after_s = after_s
        self.is_odd = is_odd


class Transport(Protocol):
    """Sends batches from the sender's own event loop."""

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """Return once the other side has them; `Later` when that is uncertain."""

    async def close(self) -> None:
        """Let connections go."""


class KafkaTransport:
    """Publishes to the tenant's topics; acknowledged by all in-sync replicas."""

    def __init__(self, servers: str, topic_prefix: str, options: dict[str, Any]) -> None:
        self._prefix = topic_prefix
        self._options = {"bootstrap_servers": servers, **options}
        self._producer: Any = None

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """Publish a batch."""
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                producer = await self._started()
                acks = [
                    await producer.send(
                        f"{self._prefix}{event.kind}.v1",
                        event.value,
                        key=event.key,
                        headers=event.headers,
                    )
                    for event in events
                ]
                await asyncio.gather(*acks)
        except Exception as error:
            await self.close()
            raise Later(repr(error)) from error
        return Sent(len(events), 0)

    async def close(self) -> None:
        """Let the producer go, whatever state it is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.ensure_future(producer.stop())
            await asyncio.wait([task], timeout=1)
            task.cancel()

    async def _started(self) -> Any:
        if self._producer is None:
            # Imported here: it takes most of a tenth of a second that no agent should wait for.
            from aiokafka import AIOKafkaProducer  # noqa: PLC0415

            producer = AIOKafkaProducer(
                acks="all", compression_type="lz4", linger_ms=5, **self._options
            )
            try:
                await producer.start()
            except BaseException:
                with contextlib.suppress(Exception):
                    await producer.stop()
                raise
            self._producer = producer
        return self._producer


class HttpTransport:
    """Posts to the gateway; a 202 means that the broker has the events."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = urlsplit(url)
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """Post a batch, kind by kind."""
        taken = refused = 0
        refused_at: list[int] = []
        for kind, path in PATHS.items():
            of_kind = [place for place, event in enumerate(events) if event.kind == kind]
            for start in range(0, len(of_kind), MOST_PER_POST):
                places = of_kind[start : start + MOST_PER_POST]
                values = [events[place].value for place in places]
                sent = await asyncio.to_thread(self._post, path, values)
                taken, refused = taken + sent.taken, refused + sent.refused
                refused_at += [places[index] for index in sent.refused_at]
        return Sent(taken, refused, refused_at)

    async def close(self) -> None:
        """Connections are closed after every post."""

    def _post(self, path: str, values: Sequence[bytes]) -> Sent:
        body = b"[" + b",".join(values) + b"]"
        try:
            status, retry_after, content = self._exchange(path, body)
        except (OSError, http.client.HTTPException) as error:
            raise Later(repr(error)) from error
        if status in WORTH_ANOTHER_TRY:
            raise Later(f"HTTP {status}", float(retry_after) if retry_after.isdigit() else 1.0)
        if status != ACCEPTED:
            return Sent(0, len(values), range(len(values)))
        answer = json.loads(content)
        refused_at = sorted({one["index"] for one in answer.get("errors", ())})
        return Sent(answer["accepted"], answer["rejected"], refused_at)

    def _exchange(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        host = self._url.hostname or "localhost"
        connection = kind(host, self._url.port, timeout=HTTP_TIMEOUT_S)
        try:
            connection.request("POST", self._url.path.rstrip("/") + path, body, self._headers)
            response = connection.getresponse()
            return response.status, response.getheader("Retry-After", ""), response.read()
        finally:
            connection.close()
