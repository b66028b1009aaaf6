"""Parts of services on a real Postgres, without a broker: what erases, and what is erased."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID
from zipfile import ZipFile

from asyncpg import Pool
from pydantic import SecretStr
from pydantic_core import from_json

from services.abtest.domain.batch import Outcome as AbtestOutcome
from services.abtest.domain.batch import read_batch as read_counted
from services.abtest.store.batches import PostgresBatches as AbtestBatches
from services.abtest.store.erasing import PostgresErasing as AbtestErasing
from services.feedback.domain.batch import Outcome as FeedbackOutcome
from services.feedback.domain.batch import read_batch as read_feedback
from services.feedback.domain.formulas import CURRENT
from services.feedback.store.batches import PostgresBatches
from services.feedback.store.erasing import PostgresErasing as FeedbackErasing
from services.feedback.store.freezing import PostgresFreezing
from services.feedback.store.making import PostgresMaking
from services.feedback.store.raters import PostgresRaters
from services.feedback.store.telling import PostgresTelling
from services.gateway.domain.erasures import ErasureRequest
from services.gateway.domain.subject_exports import SubjectExportRequest
from services.gateway.queries.subject_classes import DESCRIBED
from services.gateway.service.erasing import Erasing
from services.gateway.service.subject_exporting import SubjectExporting
from services.gateway.store import erasures as own_erasures
from services.gateway.store.erasures import PostgresErasures
from services.gateway.store.sessions import Sessions
from services.gateway.store.subject_exports import PostgresSubjectExports
from services.ingest.domain.batch import read_batch
from services.ingest.store.batches import PostgresStore
from services.ingest.store.erasing import PostgresErasing
from shared.audit.who import Who, act_as
from shared.clock import utc_now
from shared.codec import microseconds
from shared.delivery.plan import Partition
from shared.delivery.postgres import Verdicts
from shared.events.base import Event
from shared.events.exposure import ExposureEvent
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent
from shared.ids import new_id
from shared.privacy.eraser import Eraser
from shared.privacy.names import Names
from shared.stores import LazyPostgres, pooled
from shared.training.redaction import finds_any
from tests.support.events import encoded
from tests.support.system import AUDIT, SECRET

NAMES = Names(SECRET.encode())
OPERATIONS = Partition("ai.operations.v1", 0)
FEEDBACK = Partition("ai.feedback.v1", 0)
EXPOSURES = Partition("ai.exposures.v1", 0)
MODELS: dict[Partition, type[Event]] = {
    OPERATIONS: OperationEvent,
    FEEDBACK: FeedbackEvent,
    EXPOSURES: ExposureEvent,
}


class LogRecord(NamedTuple):
    """A record as a consumer reads it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


def unzipped(content: bytes) -> dict[str, list[Any]]:
    """Lines by class of a ZIP file, and `manifest`."""
    with ZipFile(BytesIO(content)) as file:
        assert file.testzip() is None
        return {
            name.partition(".")[0]: [from_json(file.read(name))]
            if name == "manifest.json"
            else [from_json(line) for line in file.read(name).splitlines()]
            for name in file.namelist()
        }


class Gateway:
    """Asks for erasures as the gateway does."""

    def __init__(self, dsn: str) -> None:
        self._postgres = LazyPostgres(SecretStr(dsn), service="gateway")
        sessions = Sessions(self._postgres, AUDIT)
        self.store = PostgresErasures(sessions)
        self.erasing = Erasing(self.store, NAMES, utc_now, new_id, 900)
        self.exports = PostgresSubjectExports(sessions, NAMES)
        self.exporting = SubjectExporting(self.exports, NAMES, utc_now, new_id, dict(DESCRIBED))
        self.eraser = Eraser(
            "gateway",
            self._postgres.pool,
            {"postgres": own_erasures.erase, "redis": own_erasures.forget_answers},
            own_erasures.erase_noted,
        )
        act_as(Who("key:tests"))

    async def erase(self, **asked: Any) -> dict[str, Any]:
        """Take an erasure in."""
        act_as(Who("key:tests", "admin"))
        return await self.erasing.erase("acme", ErasureRequest.model_validate(asked), "key:tests")

    async def erasure(self, made: dict[str, Any]) -> dict[str, Any]:
        """One as it is now."""
        return await self.store.erasure("acme", made["id"])

    async def ask_export(self, user_id: str, tenant: str = "acme") -> UUID:
        """Ask for a person's data."""
        asked = SubjectExportRequest(user_id=user_id)
        return UUID(str((await self.exporting.ask(tenant, asked, "key:tests"))["id"]))

    async def make_exports(self) -> None:
        """Make all that were asked for."""
        while await self.exports.step_all():
            pass

    async def file(self, export_id: UUID, tenant: str = "acme") -> dict[str, list[Any]]:
        """Lines by class, and the manifest."""
        row = await self.exports.get(tenant, export_id)
        async with self.exporting.opened(tenant, row) as file:
            content = b"".join([chunk async for chunk in file.chunks])
        return unzipped(content)

    async def settle(self) -> None:
        """Erase until nothing moves."""
        while await self.eraser.look():
            pass

    async def close(self) -> None:
        """Let the connections go."""
        await self._postgres.close()


class Ingest:
    """Stores batches and erases, as ingest does."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.store = PostgresStore(pool, "ingest", lambda _: 5, NAMES, lambda _: False)
        self._erasing = PostgresErasing(NAMES, utc_now)
        self.eraser = Eraser(
            "ingest",
            pooled(pool),
            {"postgres": self._erasing.erase, "kafka": self._erasing.kafka},
            self._erasing.noted,
        )
        self._ends = dict.fromkeys(MODELS, 0)
        self.last: list[LogRecord] = []
        """What came last."""

    async def take(
        self, partition: Partition, values: Sequence[dict[str, Any] | bytes]
    ) -> Verdicts:
        """Store a batch that comes next in a partition."""
        records = self.records(partition, values)
        self.last = records
        batch = read_batch(
            MODELS[partition], records, {"acme", "globex"}, microseconds(datetime.now(UTC)), None
        )
        fence = await self.store.claim(partition, 0)
        return await self.store.write(partition, fence, batch, self._ends[partition], 0)

    def records(
        self, partition: Partition, values: Sequence[dict[str, Any] | bytes]
    ) -> list[LogRecord]:
        """Values as the next records of a partition."""
        start = self._ends[partition]
        self._ends[partition] += len(values)
        stamp = int(datetime.now(UTC).timestamp() * 1000)
        return [
            LogRecord(
                *(*partition, start + place, stamp, 1, b"key"),
                value if isinstance(value, bytes) else encoded(value),
            )
            for place, value in enumerate(values)
        ]

    async def settle(self) -> None:
        """Erase until nothing moves."""
        while await self.eraser.look():
            pass


class Feedback:
    """Keeps votes, makes rows, and erases, as feedback does."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.batches = PostgresBatches(pool, "feedback", lambda _: None, NAMES)
        self.making = PostgresMaking(pool, CURRENT, NAMES.pseudonym, finds_any, new_id)
        self.freezing = PostgresFreezing(pool, CURRENT)
        self.raters = PostgresRaters(pool)
        self.telling = PostgresTelling(pool)
        self.erasing = FeedbackErasing(new_id, utc_now)
        self.eraser = Eraser(
            "feedback", pooled(pool), {"postgres": self.erasing.erase}, self.erasing.noted
        )

    async def take(self, records: Sequence[LogRecord]) -> FeedbackOutcome:
        """Keep what was said, as the same records bring it to ingest."""
        batch = read_feedback(records, microseconds(datetime.now(UTC)), None)
        fence = await self.batches.claim(FEEDBACK, 0)
        end = records[-1].offset + 1
        return await self.batches.write(FEEDBACK, fence, batch, end, 0)

    async def make(self) -> None:
        """Make all rows that are due."""
        while await self.making.make(utc_now()):
            pass

    async def freeze(self) -> None:
        """Freeze all that was asked for."""
        while await self.freezing.freeze(utc_now()):
            pass

    async def tell(self) -> list[dict[str, Any]]:
        """Tell changes, to nobody; answers them."""
        async with self.telling.relaying(10_000) as changes:
            return [from_json(one["body"]) for one in changes]

    async def settle(self) -> None:
        """Erase, make and tell until nothing moves."""
        while await self.eraser.look():
            await self.make()
            await self.tell()


class Abtest:
    """Counts for tests and erases, as abtest does."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.batches = AbtestBatches(pool, "abtest", lambda _: 5, NAMES)
        self._erasing = AbtestErasing(NAMES)
        self.eraser = Eraser(
            "abtest", pooled(pool), {"postgres": self._erasing.erase}, self._erasing.noted
        )

    async def take(self, records: Sequence[LogRecord]) -> AbtestOutcome:
        """Count what the same records bring to ingest."""
        partition = Partition(*records[0][:2])
        batch = read_counted(MODELS[partition], records, microseconds(datetime.now(UTC)), None)
        fence = await self.batches.claim(partition, 0)
        return await self.batches.write(partition, fence, batch, records[-1].offset + 1, 0)

    async def settle(self) -> None:
        """Erase until nothing moves."""
        while await self.eraser.look():
            pass
