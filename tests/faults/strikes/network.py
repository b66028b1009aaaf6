"""F11: every link between a service and what it needs is bad, in every way."""

import asyncio

from tests.faults.matrix import fault
from tests.faults.servers import LINKS
from tests.faults.stage import Stage

BAD_FOR_S = 5
ALL_LINKS = [f"{service}-{server}" for service, servers in LINKS.items() for server in servers]
WAYS = ("cut", "slow", "silent", "reset", "narrow", "sliced")


@fault(
    "F11",
    "bad network on each link: cut, slow, silent, reset, narrow, sliced",
    (0, 2 * len(ALL_LINKS), 10 * len(ALL_LINKS) * len(WAYS)),
    60,
    needs="toxiproxy",
)
async def bad(stage: Stage, turn: int) -> None:
    """One link, one way, for a while."""
    network = stage.servers.toxiproxy
    assert network is not None, "toxiproxy is built from its Go module: install Go"
    round_, place = divmod(turn, len(ALL_LINKS))
    # Every link in each round, and every way on each link in six rounds.
    link, way = ALL_LINKS[place], WAYS[(place + round_) % len(WAYS)]
    for stream in ("upstream", "downstream"):
        if way == "cut":
            network.cut(link)
        elif way == "slow":
            network.poison(link, "latency", stream, latency=400, jitter=200)
        elif way == "silent":
            network.poison(link, "timeout", stream, timeout=0)
        elif way == "reset":
            network.poison(link, "reset_peer", stream, timeout=100)
        elif way == "narrow":
            network.poison(link, "bandwidth", stream, rate=10)
        else:
            network.poison(link, "slicer", stream, average_size=64, size_variation=32, delay=200)
    await asyncio.sleep(BAD_FOR_S)  # the fault itself
    network.heal()
