"""What metrics publishes: steps of alerts."""

from collections.abc import Sequence

from shared.events.alert import AlertEvent
from shared.producer import Message, Producer
from shared.topics import REGISTER, Topic


class AlertPublisher:
    """Publishes events as they were kept."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def publish(self, events: Sequence[bytes]) -> None:
        """Return once the broker has acknowledged all of them."""
        await self._producer.publish([self._message(event) for event in events])

    def _message(self, event: bytes) -> Message:
        known = AlertEvent.model_validate_json(event)
        key = str(known.alert_id).encode()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(known.event_id),
            "ce_source": f"/tenants/{known.tenant_id}/metrics",
            "ce_type": REGISTER[Topic.ALERTS].ce_type,
            "ce_time": known.occurred_at.isoformat(),
            "ce_subject": str(known.alert_id),
            "ce_partitionkey": str(known.alert_id),
            "content-type": "application/json",
        }
        return Message(
            self._topic, key, event, [(name, value.encode()) for name, value in headers.items()]
        )
