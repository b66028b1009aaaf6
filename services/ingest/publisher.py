"""What ingest publishes: dead letters, to the topic beside the one they came from."""

from collections.abc import Sequence
from typing import Any

from shared.producer import Message, Producer
from shared.topics import dead_letter_name


class DeadLetterPublisher:
    """Publishes letters as they were stored, value untouched."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def publish(self, letters: Sequence[Any]) -> None:
        """Return once the broker has acknowledged all of them."""
        await self._producer.publish([_message(letter) for letter in letters])


def _message(letter: Any) -> Message:
    return Message(
        dead_letter_name(letter.topic),
        f"{letter.topic}:{letter.partition}:{letter.kafka_offset}".encode(),
        letter.record_value,
        [
            ("reason", letter.reason.encode()),
            ("detail", letter.detail.encode()),
            ("first_seen_at", letter.first_seen_at.isoformat().encode()),
        ],
    )
