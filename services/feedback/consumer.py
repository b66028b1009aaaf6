"""The door from Kafka into feedback: take a batch of bytes, hand it to the fence."""

from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.feedback.service.taking import GROUP
from shared.kafka import ApplyBatch, subscribe_batches
from shared.topics import Topic, topic_name


def subscribe(
    broker: KafkaBroker, prefix: str, apply: ApplyBatch, max_records: int
) -> BatchSubscriber:
    """Bind the topic of feedback to one fenced sink, which `app.py` chooses."""
    topic = topic_name(Topic.FEEDBACK, prefix)
    return subscribe_batches(broker, topic, group=GROUP, apply=apply, max_records=max_records)
