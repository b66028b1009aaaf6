"""The door from Kafka into metrics: take a batch of bytes, hand it to the fence."""

from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.metrics.service.intake import GROUP
from shared.kafka import ApplyBatch, subscribe_batches
from shared.topics import COUNTED, topic_name


def subscribe(
    broker: KafkaBroker, prefix: str, apply: ApplyBatch, max_records: int
) -> BatchSubscriber:
    """Bind operations and feedback to one fenced sink, which `app.py` chooses."""
    topics = [topic_name(topic, prefix) for topic in COUNTED]
    return subscribe_batches(broker, *topics, group=GROUP, apply=apply, max_records=max_records)
