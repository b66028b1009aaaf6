"""What metrics publishes: steps of alerts."""

from collections.abc import Sequence

from shared.cloud_events import cloud_event, proven
from shared.events.alert import AlertEvent
from shared.producer import Message, Producer
from shared.proof import Proofs
from shared.topics import REGISTER, Topic


class AlertPublisher:
    """Publishes events as they were kept."""

    def __init__(self, producer: Producer, topic: str, signer: Proofs | None) -> None:
        self._producer = producer
        self._signer = signer
        self._topic = topic

    async def publish(self, events: Sequence[bytes]) -> None:
        """Return once the broker has acknowledged all of them."""
        await self._producer.publish([self._message(event) for event in events])

    def _message(self, event: bytes) -> Message:
        known = AlertEvent.model_validate_json(event)
        key = str(known.alert_id).encode()
        headers = cloud_event(
            REGISTER[Topic.ALERTS],
            known.tenant_id,
            "metrics",
            str(known.event_id),
            key,
            known.occurred_at,
        )
        headers += proven(self._signer, self._topic, known.tenant_id, event)
        return Message(self._topic, key, event, headers)
