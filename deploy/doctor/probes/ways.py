"""What the network says of a server that does not answer, and how far its clock is from ours."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime

from deploy.doctor.facts import ClockFacts
from shared.clock import Clock

TRY_WITHIN_S = 3.0
SPEAKS = "somebody listens at"


async def why_away(host: str, port: int) -> str:
    """Whether the name, the way or the program is missing; for a server that did not answer."""
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(TRY_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror as error:
        return f"{host} is no known host ({error.strerror})"
    except ConnectionRefusedError:
        return f"nothing listens at {where}"
    except TimeoutError:
        return f"nobody answers at {where} within {TRY_WITHIN_S:.0f} s: a firewall, or the way"
    except OSError as error:
        return f"{where} cannot be reached: {error.strerror or error}"
    writer.close()
    return f"{SPEAKS} {where} and does not speak as expected"


async def is_reachable(host: str, port: int) -> bool:
    """Whether a connection can be made."""
    try:
        async with asyncio.timeout(TRY_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def compare_clocks(ask: Callable[[], Awaitable[datetime]], now: Clock) -> ClockFacts:
    """Their clock was read somewhere between our two looks at ours."""
    before = now()
    theirs = await ask()
    after = now()
    middle = before + (after - before) / 2
    return ClockFacts((theirs - middle).total_seconds(), (after - before).total_seconds() / 2)
