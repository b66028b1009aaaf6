"""What the gateway publishes, and the promise behind a 202: the broker has it."""

from collections.abc import Mapping, Sequence

from services.gateway.domain.intake import Outgoing
from services.gateway.domain.problems import AwayError, UnsendableError
from shared.cloud_events import cloud_event, proven
from shared.producer import Message, Producer, ProducerAwayError
from shared.producer import UnsendableError as UnsendableMessageError
from shared.proof import Proofs
from shared.topics import TopicSpec


class Publisher:
    """Events as CloudEvents, under the tenant of the caller."""

    def __init__(self, producer: Producer, signer: Proofs | None) -> None:
        self._producer = producer
        self._signer = signer

    async def publish(
        self,
        spec: TopicSpec,
        topic: str,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> None:
        """Return once every event is acknowledged by all in-sync replicas; else `AwayError`.

        `UnsendableError` is one where waiting does not help.
        """
        try:
            messages = [self._message(spec, topic, event, tenant_id, trace) for event in events]
        except (TypeError, ValueError) as error:
            raise UnsendableError("kafka", f"no record can hold it: {error!r}") from error
        try:
            await self._producer.publish(messages)
        except UnsendableMessageError as error:
            raise UnsendableError("kafka", str(error)) from error
        except ProducerAwayError as error:
            raise AwayError("kafka", str(error)) from error

    async def ping(self) -> None:
        """Raise `AwayError` while no broker answers."""
        try:
            await self._producer.ping()
        except ProducerAwayError as error:
            raise AwayError("kafka", str(error)) from error

    def _message(
        self,
        spec: TopicSpec,
        topic: str,
        event: Outgoing,
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> Message:
        """With the event's own headers, the caller's trace and the proof of the tenant."""
        said = cloud_event(spec, tenant_id, "gateway", event.event_id, event.key, event.occurred_at)
        said += [(name, value.encode()) for name, value in trace.items()]
        said += proven(self._signer, topic, tenant_id, event.value)
        return Message(topic, event.key, event.value, said)
