"""Ends and forks with a producer that is connected to real Kafka."""

import subprocess
import sys
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer

from tests.support.system import topics

AGENT = """
import os, sys
from assay_sdk import Assay
assay = Assay.kafka(sys.argv[1], tenant_id="acme", topic_prefix=sys.argv[2])
def log(name, count):
    for number in range(count):
        assay.log(model_id=name, operation_id=f"{name}-{number}", success=True, response_time_ms=1)
"""
FORKS = """
log("before", 100)
assert assay.flush(60).complete
child = os.fork()
if child == 0:
    log("child", 50)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
log("after", 100)
assert assay.flush(60).complete
"""


async def arrived(bootstrap: str, prefix: str, names: Iterable[str]) -> dict[str, int]:
    """How often each operation of these models is on the topic."""
    consumer = AIOKafkaConsumer(
        f"{prefix}operations.v1", bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    found: dict[str, int] = {}
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while [await consumer.position(one) for one in ends] != list(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    key = record.key.decode()
                    if key.partition("-")[0] in names:
                        found[key] = found.get(key, 0) + 1
    return found


def agent(script: str, *arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", AGENT + script, *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


async def test_who_ends_before_it_was_connected_has_sent_everything(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    await topics(kafka_bootstrap, topic_prefix)
    agent("log('short', 300)", kafka_bootstrap, topic_prefix)
    found = await arrived(kafka_bootstrap, topic_prefix, {"short"})
    assert set(found) == {f"short-{number}" for number in range(300)}


async def test_a_child_connects_anew_and_its_parents_connection_lives_on(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    await topics(kafka_bootstrap, topic_prefix)
    agent(FORKS, kafka_bootstrap, topic_prefix)
    sent = {"before": 100, "child": 50, "after": 100}
    found = await arrived(kafka_bootstrap, topic_prefix, sent)
    assert found == {f"{name}-{n}": 1 for name, count in sent.items() for n in range(count)}
