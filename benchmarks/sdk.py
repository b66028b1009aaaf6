"""What the client costs the agent's own thread, per event."""

import time
from collections.abc import Sequence
from typing import Any

from assay_sdk import Assay
from assay_sdk.events import Encoded
from assay_sdk.transports import Sent

EVENTS = 20_000


class Nowhere:
    """A transport that takes everything at once."""

    async def send(self, events: Sequence[Encoded]) -> Sent:
        """Take it."""
        return Sent(len(events), 0)

    async def close(self) -> None:
        """Nothing to let go."""


async def client(_: Any) -> dict[str, Any]:
    """Microseconds of the caller's time per measured operation."""
    assay = Assay(Nowhere, tenant_id="acme", max_buffer=EVENTS * 2)
    rounds = []
    for _ in range(5):
        # The caller's own CPU time: the sender's thread is not its cost.
        started = time.thread_time()
        for number in range(EVENTS):
            with assay.operation("gpt-4o-mini", user_id="user-1") as operation:
                operation.set(input_tokens=number, output_tokens=7)
        rounds.append((time.thread_time() - started) / EVENTS * 1e6)
        assay.flush(30)
    assay.close()
    return {"sdk_us_per_event": round(sorted(rounds)[2], 1)}
