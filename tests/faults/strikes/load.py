"""F19: more than the gateway can take."""

import asyncio
import json
import sys

import psutil

from tests.faults.hammer import ACCEPTED, SHED
from tests.faults.matrix import fault
from tests.faults.stage import Stage

LASTS_S = 60
ACK_WITHIN_S = 1.0
MOST_GROWTH_MB = 150


async def held(stage: Stage) -> list[str]:
    """It refused some, took others, answered polite callers in time, and did not grow."""
    notes = stage.notes
    wrong = []
    if not (notes["taken"] and notes["shed"]):
        wrong.append(f"that was no overload: {dict(notes)}")
    if notes["growth_mb"] > MOST_GROWTH_MB:
        wrong.append(f"the gateway has grown by {notes['growth_mb']} MB")
    if stage.notes["p99_ack_ms"] > ACK_WITHIN_S * 1000:
        wrong.append(f"p99 of acknowledged requests is {stage.notes['p99_ack_ms']} ms")
    return wrong


@fault("F19", "overload of the gateway, 1 minute", (1, 1, 10), 120, check=held, rate=50)
async def overload(stage: Stage, _: int) -> None:
    """Sixty rude clients beside the usual ones."""
    gateway = psutil.Process(stage.one("gateway").pid)
    before = most = gateway.memory_info().rss
    stage.poster.took_s.clear()
    stage.journal.others.append(stage.folder / "hammer")
    hammer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.hammer"),
        *(stage.one("gateway").url, str(LASTS_S), str(stage.folder / "hammer")),
        *(f"{tenant}={key}" for tenant, key in stage.keys.items()),
        stdout=asyncio.subprocess.PIPE,
    )
    printed = asyncio.ensure_future(hammer.communicate())
    while not printed.done():
        await asyncio.wait([printed], timeout=0.5)
        most = max(most, gateway.memory_info().rss)
    done = json.loads(printed.result()[0])
    took_s = sorted(stage.poster.took_s)
    stage.notes["taken"] += done.get(str(ACCEPTED), 0)
    stage.notes["shed"] += sum(done.get(str(one), 0) for one in SHED)
    stage.notes["events"] += done.get("events", 0)
    stage.notes["p99_ack_ms"] = round(1000 * took_s[int(len(took_s) * 0.99)])
    stage.notes["growth_mb"] = round((most - before) / 2**20)
