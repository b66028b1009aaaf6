"""Partitions that stand still: log and sink contradict each other, and a person decides."""

from collections.abc import Collection

import structlog

from shared import clock, telemetry
from shared.delivery.plan import Partition

AGAIN_AFTER_S = 30.0

log = structlog.get_logger()


class Incidents(dict[Partition, str]):
    """Why each of them cannot go on, and when we last looked."""

    def __init__(self, group: str) -> None:
        super().__init__()
        self._group = group
        self._seen_at: dict[Partition, float] = {}

    def note(self, partition: Partition, why: str) -> None:
        """It cannot go on: told once, remembered until it is over."""
        if partition not in self:
            telemetry.INCIDENTS.labels(self._group).inc()
            log.error("incident", group=self._group, partition=partition, why=why)
        self[partition] = why
        self._seen_at[partition] = clock.monotonic()

    def over(self, partition: Partition) -> bool:
        """It can go on; answers whether it could not before."""
        if self.pop(partition, None) is None:
            return False
        del self._seen_at[partition]
        log.info("incident_over", group=self._group, partition=partition)
        return True

    def keep_only(self, ours: Collection[Partition]) -> None:
        """Somebody else's partitions are somebody else's incidents."""
        for partition in self.keys() - set(ours):
            del self[partition], self._seen_at[partition]

    def resting(self) -> set[Partition]:
        """Those that it is not yet time to look at again."""
        now = clock.monotonic()
        return {one for one, seen_at in self._seen_at.items() if now - seen_at < AGAIN_AFTER_S}
