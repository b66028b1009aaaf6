"""The servers under the tests are real."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis


async def test_kafka_keeps_a_record(kafka_bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}ladder"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all") as producer:
        sent = await producer.send_and_wait(topic, b"value", key=b"key")
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await consumer.getone()
    assert (record.offset, record.key, record.value) == (sent.offset, b"key", b"value")


async def test_postgres_is_new_enough(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    version = int(await connection.fetchval("SHOW server_version_num"))
    await connection.close()
    assert version >= 150_000


async def test_redis_writes_an_append_only_file(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        persistence = await client.info("persistence")
    assert persistence["aof_enabled"] == 1
