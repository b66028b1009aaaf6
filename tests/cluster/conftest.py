"""Servers that the modules here share."""

from collections.abc import Iterator

import pytest
from redis.asyncio import RedisCluster

from tests.cluster.servers import ClusterServers
from tests.support.kafka import need_own_kafka
from tests.support.waiting import eventually


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServers]:
    """Three brokers, three masters, one Postgres: nobody else's."""
    need_own_kafka()
    folder = tmp_path_factory.mktemp("cluster")
    folder.chmod(0o755)
    made = ClusterServers(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
async def cluster(servers: ClusterServers) -> ClusterServers:
    """The servers, once they know each other."""

    async def whole() -> bool:
        try:
            async with RedisCluster.from_url(servers.redis.url) as client:
                return bool(await client.set("here", 1))
        except Exception:
            return False

    await eventually(whole, why="the masters have met", deadline_s=30)
    return servers
