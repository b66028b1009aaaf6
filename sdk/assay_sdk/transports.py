"""Ways to send: straight to Kafka, or over HTTP to the gateway."""

import asyncio
import contextlib
import http.client
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from assay_sdk.events import Encoded
from assay_sdk.imports import load
from assay_sdk.portions import portions
from assay_sdk.proof import ProofKey

PATHS = {
    "operations": "/ai/operations/log",
    "feedback": "/ai/feedback/submit",
    "exposures": "/ai/exposures/log",
}
MOST_PER_POST, MOST_POST_BYTES = 200, 900_000
"""The gateway takes a body of 1 MiB."""
ACK_TIMEOUT_S = 10.0
HTTP_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 1.0
ACCEPTED, TOO_LARGE = 202, 413
REFUSING = (400, 422)
"""These blame the events themselves; whatever else is said may be otherwise later."""
MOST_RETRY_AFTER_S = 60.0


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

    def __init__(
        self,
        servers: str,
        topic_prefix: str,
        options: dict[str, Any],
        proof: tuple[str, ProofKey] | None = None,
    ) -> None:
        """`proof`: the tenant, and the key that events are signed with."""
        self._prefix = topic_prefix
        self._proof = proof
        self._options = {"bootstrap_servers": servers, **options}
        self._producer: Any = None
        load("aiokafka")  # made on the sender's thread: no agent waits for it

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """Publish a batch."""
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                producer = await self._started()
                acks = [await self._sent(producer, event) for event in events]
                await asyncio.gather(*acks)
        except Exception as error:
            await self.close()
            raise _later(error) from error
        return Sent(len(events), 0)

    async def close(self) -> None:
        """Let the producer go, whatever state it is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.ensure_future(producer.stop())
            await asyncio.wait([task], timeout=STOP_TIMEOUT_S)
            task.cancel()

    async def _sent(self, producer: Any, event: Encoded) -> Any:
        topic, headers = f"{self._prefix}{event.kind}.v1", event.headers
        if self._proof is not None:
            tenant_id, key = self._proof
            headers = [*headers, key.header(topic, tenant_id, event.value)]
        return await producer.send(topic, event.value, key=event.key, headers=headers)

    async def _started(self) -> Any:
        if self._producer is None:
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


def _later(error: Exception) -> Later:
    """Who is away or does not let us in is waited for; a fault of the events' own is odd."""
    from aiokafka import errors  # noqa: PLC0415 - loaded with the transport

    blaming = (
        errors.MessageSizeTooLargeError,
        errors.RecordListTooLargeError,
        errors.RecordTooLargeError,
        errors.CorruptRecordException,
        errors.InvalidTimestampError,
        errors.InvalidTopicError,
        errors.PolicyViolationError,
        errors.UnsupportedForMessageFormatError,
    )
    if isinstance(error, blaming):
        return Later(repr(error), is_odd=True)
    if isinstance(error, (OSError, errors.KafkaError)):
        return Later(repr(error))
    return Later(type(error).__name__, is_odd=True)  # its words may hold a password


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
            sizes = [len(events[place].value) + 1 for place in of_kind]
            for part in portions(sizes, MOST_PER_POST, MOST_POST_BYTES):
                places = of_kind[part]
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
        if status == TOO_LARGE and len(values) > 1:
            return self._halved(path, values)
        if status == TOO_LARGE or status in REFUSING:
            return Sent(0, len(values), range(len(values)))
        if status != ACCEPTED:
            raise Later(f"HTTP {status}", _seconds(retry_after))
        return _answered(content, len(values))

    def _halved(self, path: str, values: Sequence[bytes]) -> Sent:
        """Somebody on the way takes less than the gateway does."""
        middle = len(values) // 2
        first, then = self._post(path, values[:middle]), self._post(path, values[middle:])
        refused_at = [*first.refused_at, *(middle + index for index in then.refused_at)]
        return Sent(first.taken + then.taken, first.refused + then.refused, refused_at)

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


def _seconds(retry_after: str) -> float:
    """How long the other side asks to be left alone, within reason."""
    asked = float(retry_after) if retry_after.isdecimal() else 1.0
    return min(asked, MOST_RETRY_AFTER_S)


def _answered(content: bytes, count: int) -> Sent:
    """What the gateway says of `count` events; what cannot be read comes from somebody else."""
    try:
        said = json.loads(content)
        taken, refused = said["accepted"], said["rejected"]
        refused_at = {one["index"] for one in said.get("errors", ())} & set(range(count))
        is_whole = taken + refused == count
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Later("an answer that cannot be read", 1.0) from error
    if not is_whole:
        raise Later("an answer about other events", 1.0)
    return Sent(taken, refused, sorted(refused_at))
