"""A Kafka cluster, a Redis Cluster and a Postgres on this machine."""

import shutil
from pathlib import Path
from types import SimpleNamespace

from aiokafka.admin import AIOKafkaAdminClient
from redis import Redis

from deploy.local.kafka_jars import KafkaJars
from deploy.local.process import free_port
from shared.topics import REGISTER, topic_name
from tests.support.stores import PostgresHere, RedisHere

BROKERS, MASTERS = 3, 3
SLOTS = 16_384
CLUSTERED = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": "3000",
    # Without one master the others go on.
    "cluster-require-full-coverage": "no",
}


class ClusterServers:
    """The same to a stage as `Servers`, without proxies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        controllers = [free_port() for _ in range(BROKERS)]
        self.brokers = [
            KafkaJars(folder / f"kafka{node}", node=node, controllers=controllers)
            for node in range(1, BROKERS + 1)
        ]
        self.masters = [RedisHere(folder / f"master{n}", **CLUSTERED) for n in range(MASTERS)]
        self.postgres = PostgresHere(folder)
        self.kafka = SimpleNamespace(bootstrap=",".join(one.bootstrap for one in self.brokers))
        self.redis = SimpleNamespace(url=self.masters[0].url)
        self.cluster = True

    def start(self) -> None:
        """Start all of them; brokers wait for each other."""
        for broker in self.brokers:
            broker.begin()
        for server in (self.postgres, *self.masters):
            server.start()
        self._join_masters()
        for broker in self.brokers:
            broker.wait()

    def stop(self) -> None:
        """Stop all of them, and remove what is large."""
        for server in (*self.brokers, *self.masters):
            server.stop()
        self.postgres.discard()
        for broker in range(1, BROKERS + 1):
            shutil.rmtree(self.folder / f"kafka{broker}" / "data", ignore_errors=True)

    def mend(self) -> None:
        """Whoever died is started again."""
        for server in (*self.brokers, *self.masters, self.postgres):
            if server.child is None or not server.child.alive:
                server.start()

    def env(self, _: str, dsn: str) -> dict[str, str]:
        """How a service reaches them."""
        return {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "ASSAY_POSTGRES_DSN": dsn,
            "ASSAY_REDIS_URL": self.redis.url,
            "ASSAY_REDIS_CLUSTER": "true",
        }

    async def in_sync(self, prefix: str) -> bool:
        """Whether every partition has all its replicas in step."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
        try:
            await admin.start()
            found = await admin.describe_topics([topic_name(topic, prefix) for topic in REGISTER])
        finally:
            await admin.close()
        return all(
            len(one["isr"]) == len(one["replicas"])
            for topic in found
            for one in topic["partitions"]
        )

    def _join_masters(self) -> None:
        """Meet, and share the slots."""
        clients = [Redis.from_url(one.url) for one in self.masters]
        for number, client in enumerate(clients):
            first, last = number * SLOTS // MASTERS, (number + 1) * SLOTS // MASTERS - 1
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER MEET", "127.0.0.1", self.masters[0].port)
        for client in clients:
            client.close()
