"""The door from Kafka into notify: take a batch of bytes, hand it to the fence."""

from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.notify.service.planning import GROUP
from shared.kafka import ApplyBatch, subscribe_batches
from shared.topics import Topic, topic_name

MAX_RECORDS = 50  # each may be told to many channels, in one transaction


def subscribe(broker: KafkaBroker, prefix: str, apply: ApplyBatch) -> BatchSubscriber:
    """Bind the topic of alerts to a fenced sink, which `app.py` chooses."""
    topic = topic_name(Topic.ALERTS, prefix)
    return subscribe_batches(broker, topic, group=GROUP, apply=apply, max_records=MAX_RECORDS)
