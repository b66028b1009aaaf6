"""Numbers that every service gives: one register of metric names."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.proof import Unproven

EVENTS = Counter("assay_events", "Records by verdict", ["group", "verdict"])
LAG = Gauge("assay_lag", "Log end minus fence", ["group", "topic", "partition"])
FENCED = Counter("assay_fenced_writes", "Writes refused by the fence", ["group"])
GAPS = Counter("assay_gaps", "Offsets without a record, skipped", ["group"])
REBUILDS = Counter("assay_rebuilds", "Partitions whose live cells were built anew")
DIFFERENCES = Counter("assay_cell_differences", "Live numbers that differed from the stored ones")
SHED = Counter("assay_shed_requests", "Requests refused because too much was under way")
EXPOSURES = Counter("assay_exposures", "Exposures by what became of them", ["verdict"])
EXPOSURES_IGNORED = Counter(
    "assay_exposures_ignored", "Exposures that say nothing about a test", ["why"]
)
UNPROVEN = Counter("assay_unproven", "Records that prove no tenant, by why", ["why"])
INCIDENTS = Counter("assay_incidents", "Contradictions between log and sink", ["group"])
NOTIFICATIONS = Counter(
    "assay_notifications", "Deliveries by what became of them", ["type", "state"]
)
NOTIFICATIONS_WAITING = Gauge("assay_notifications_waiting", "Deliveries that are to be sent")
NOTIFICATIONS_AGE = Gauge("assay_notifications_age_seconds", "How long the oldest of them waits")
ERASURES_LATE = Gauge("assay_erasures_late", "Erasures that lack a receipt after their deadline")
MASK_FAILURES = Counter("assay_mask_failures", "Texts that the mask could not read", ["why"])
BATCH_SECONDS = Histogram(
    "assay_batch_seconds",
    "From a batch's arrival to its being stored",
    ["group"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60),
)
QUEUE_DEPTH = Gauge(
    "assay_queue_depth", "What waits in a service: feedback, deliveries, requests", ["group"]
)
EVENT_AGE = Gauge("assay_event_age_seconds", "Append to stored, newest of the batch", ["group"])

MASK_FAILS_WHY = ("error", "timeout", "skipped", "unreadable")
VERDICTS = {
    "ingest": ("accepted", "duplicate", "dead", "erased"),
    "metrics": ("accepted", "duplicate", "invalid"),
    "notify": ("accepted", "invalid"),
    "abtest": ("accepted", "duplicate", "ignored", "invalid", "erased"),
    "feedback": ("accepted", "duplicate", "ignored", "invalid", "erased"),
}
Probe = Callable[[], Awaitable[Mapping[str, str]]]


def announce(group: str) -> None:
    """Show a group's numbers as zero from the start: Prometheus does not see what begins at one."""
    for verdict in VERDICTS[group]:
        EVENTS.labels(group, verdict)
    for unproven in Unproven:
        UNPROVEN.labels(unproven)
    for why in MASK_FAILS_WHY:
        MASK_FAILURES.labels(why)
    for one in (FENCED, GAPS, INCIDENTS, BATCH_SECONDS, EVENT_AGE):
        one.labels(group)


def tell_batch(group: str, verdicts: Mapping[str, int], seconds: float, age_s: float) -> None:
    """What became of a batch's records, how long that took, and how old the newest one is."""
    for verdict, count in verdicts.items():
        EVENTS.labels(group, verdict).inc(count)
    BATCH_SECONDS.labels(group).observe(seconds)
    EVENT_AGE.labels(group).set(max(0.0, age_s))


def telemetry_app(probe: Probe) -> Starlette:
    """/healthz: the process lives; /readyz: its dependencies answer; /metrics: Prometheus."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        missing = dict(await probe())
        status = "waiting" if missing else "ready"
        return JSONResponse({"status": status, "waits_for": missing}, 503 if missing else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )
