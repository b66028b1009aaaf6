"""More than a gateway can take: `python -m tests.faults.hammer URL SECONDS JOURNAL TENANT=KEY …`.

A process of its own, so that those who measure are not held up by it. Prints what became of it.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from tests.faults.journal import Ack, Intent, Journal
from tests.faults.traffic import Maker

CLIENTS = 60
EVENTS = 200
ACCEPTED = 202
SHED = (429, 503)
AGAIN_AFTER_S = 0.05
FIRST = 20_000_000
"""Numbers of its events begin here: nobody else's reach so far."""


class Hammer:
    """Many clients that post batches as fast as they can, and do not mind being sent away."""

    def __init__(self, url: str, journal: Journal, keys: dict[str, str]) -> None:
        self._url = url
        self._journal = journal
        self._keys = keys
        self._maker = Maker("", random.SystemRandom().randrange(2**31), first=FIRST)
        self.done: Counter[str] = Counter()

    async def client(self, until: float) -> None:
        """One of them."""
        async with httpx2.AsyncClient(base_url=self._url, timeout=60, verify=False) as client:
            while time.monotonic() < until:
                intents, tenant, body = self._batch()
                headers = {
                    "Authorization": f"Bearer {self._keys[tenant]}",
                    "Content-Type": "application/json",
                }
                while time.monotonic() < until:
                    answer = await client.post("/ai/operations/log", content=body, headers=headers)
                    self.done[str(answer.status_code)] += 1
                    if answer.status_code == ACCEPTED:
                        self.done["events"] += EVENTS
                        self._journal.acknowledged(Ack(intent.number) for intent in intents)
                        break
                    assert answer.status_code in SHED, answer.text
                    assert answer.headers["retry-after"]
                    await asyncio.sleep(AGAIN_AFTER_S)  # ruder than it was asked to be

    def _batch(self) -> tuple[list[Intent], str, bytes]:
        """Events of one tenant, written down before they are sent."""
        tenant, intents, events = "", [], list[dict[str, Any]]()
        while len(events) < EVENTS:
            whose, intent, event = self._maker.operation()
            tenant = tenant or whose
            if whose == tenant:
                intents.append(intent)
                events.append(event)
        self._journal.intend(intents)
        return intents, tenant, json.dumps(events).encode()


async def main() -> None:
    """Post for so long."""
    url, seconds, journal, *pairs = sys.argv[1:]
    keys = dict(pair.split("=", 1) for pair in pairs)
    hammer = Hammer(url, Journal(Path(journal)), keys)
    until = time.monotonic() + float(seconds)
    await asyncio.gather(*(hammer.client(until) for _ in range(CLIENTS)))
    print(json.dumps(hammer.done))


if __name__ == "__main__":
    asyncio.run(main())
