"""Tells the operator of records that prove no tenant: a key may differ, or somebody tries."""

from collections import Counter

import structlog

from shared import clock, telemetry
from shared.proof import Unproven

TELL_EVERY_S = 60.0
MEANINGS = {
    Unproven.NO_PROOF: "a producer does not sign: give it its tenant's key, `assay keys "
    "tenant-proof`",
    Unproven.SEVERAL: "a producer signs twice",
    Unproven.UNKNOWN_KEY: "ASSAY_EVENT_MASTER_KEY holds no key of that version here: compare the "
    "fingerprints that services log at start",
    Unproven.OTHER: "ASSAY_EVENT_MASTER_KEY, or a tenant's key, differs from ours under the same "
    "version (compare the fingerprints that services log at start), or somebody forges",
}

log = structlog.get_logger()


class Distrust:
    """Counts every such record, and says so at once, then at most each minute."""

    def __init__(self) -> None:
        self._untold: Counter[Unproven] = Counter()
        self._told_at = -TELL_EVERY_S

    def __call__(self, why: Unproven, topic: str, tenant_id: str) -> None:
        """One record of a topic that names a tenant is not taken."""
        telemetry.UNPROVEN.labels(why).inc()
        self._untold[why] += 1
        if clock.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = clock.monotonic()
        counts = {one.value: count for one, count in self._untold.items()}
        most = self._untold.most_common(1)[0][0]
        self._untold.clear()
        log.error(
            "records_unproven", records=counts, last=f"{tenant_id} on {topic}", why=MEANINGS[most]
        )
