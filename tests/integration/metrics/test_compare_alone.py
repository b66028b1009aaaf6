"""Live cells that differ are mended without anyone's hand."""

from tests.integration.metrics.both import Stores, settled, spoil
from tests.support.waiting import eventually

COMPARE_EVERY_S = 1  # the fixture hurries the service


async def test_the_service_mends_by_itself(stores: Stores) -> None:
    before = await settled(stores)
    assert await spoil(stores) > 10

    async def right() -> bool:
        return await stores.cells() == before

    await eventually(right, why="every cell is what it was", deadline_s=90)
