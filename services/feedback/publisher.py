"""What feedback publishes: changes of training rows."""

from collections.abc import Sequence
from typing import Any

from shared.cloud_events import cloud_event, proven
from shared.producer import Message, Producer
from shared.proof import Proofs
from shared.topics import REGISTER, Topic, topic_name


class ChangePublisher:
    """Publishes changes as they were kept."""

    def __init__(self, producer: Producer, prefix: str, signer: Proofs | None) -> None:
        self._producer = producer
        self._signer = signer
        self._topic = topic_name(Topic.TRAINING_EXAMPLES, prefix)

    async def publish(self, changes: Sequence[Any]) -> None:
        """Return once the broker has acknowledged all of them."""
        await self._producer.publish([self._message(change) for change in changes])

    def _message(self, change: Any) -> Message:
        key = str(change["operation_id"]).encode()
        headers = cloud_event(
            REGISTER[Topic.TRAINING_EXAMPLES],
            change["tenant_id"],
            "feedback",
            str(change["event_id"]),
            key,
            change["occurred_at"],
        )
        value = str(change["body"]).encode()
        headers += proven(self._signer, self._topic, change["tenant_id"], value)
        return Message(self._topic, key, value, headers)
