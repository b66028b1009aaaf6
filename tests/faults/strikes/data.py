"""F14 and F15: bad records, repeats, reused ids, clients that do not wait for their answer."""

import contextlib

import httpx2

from tests.faults.matrix import fault
from tests.faults.sender import Poster
from tests.faults.stage import Stage
from tests.faults.traffic import Mix

RECORDS = 10_000
PORTION = 500
# The first is less than any answer takes, however fast the machine; the second is met or not.
PATIENCE_S = (0.001, 0.02)
POSTS = 150


@fault("F14", "5 % poison of 45 kinds, 10,000 records", (0, 1, 100), 30)
async def poison(stage: Stage, _: int) -> None:
    """Each bad record must become one dead letter, and hold up nothing."""
    stage.maker.mix = Mix(poison=0.05)
    for _ in range(0, RECORDS, PORTION):
        await stage.sender.send(PORTION)


@fault("F15", "3 % repeats, reused ids, clients that time out and try again", (1, 1, 10), 30)
async def repeats(stage: Stage, _: int) -> None:
    """Clients give up after 1 or 20 ms and send the same again, until they get an answer."""
    poster = Poster(stage.journal, stage.maker, stage.keys)
    url = stage.one("gateway").url
    async with httpx2.AsyncClient(base_url=url, verify=False) as client:
        for turn in range(POSTS):
            client.timeout = PATIENCE_S[turn % len(PATIENCE_S)]
            with contextlib.suppress(httpx2.TransportError):
                await poster.post(client, 5)
    async with httpx2.AsyncClient(base_url=url, timeout=10, verify=False) as client:
        while poster.waits:
            await poster.post(client, 1)
    assert poster.statuses[0], "no client was impatient: the fault was not what it should be"
