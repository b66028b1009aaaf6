"""The door from Kafka into ingest: take a batch of bytes, hand it to the fence."""

from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.ingest.service import GROUP
from shared.kafka import ApplyBatch, subscribe_batches
from shared.topics import BURIED, topic_name


def subscribe(
    broker: KafkaBroker, prefix: str, apply: ApplyBatch, max_records: int
) -> BatchSubscriber:
    """Bind the topics that are stored or buried to one fenced sink, which `app.py` chooses."""
    topics = [topic_name(topic, prefix) for topic in BURIED]
    return subscribe_batches(broker, *topics, group=GROUP, apply=apply, max_records=max_records)
