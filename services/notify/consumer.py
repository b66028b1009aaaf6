"""The door from Kafka into notify: take a batch of bytes, hand it to the fence."""

from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.notify.service.planning import GROUP
from shared.kafka import ApplyBatch, subscribe_batches
from shared.topics import Topic, topic_name

TOLD = (Topic.ALERTS, Topic.EXPERIMENTS)
MAX_RECORDS = 50  # each may be told to many channels, in one transaction


def subscribe(broker: KafkaBroker, prefix: str, apply: ApplyBatch) -> BatchSubscriber:
    """Bind the topics to a fenced sink, which `app.py` chooses."""
    topics = [topic_name(topic, prefix) for topic in TOLD]
    return subscribe_batches(broker, *topics, group=GROUP, apply=apply, max_records=MAX_RECORDS)
