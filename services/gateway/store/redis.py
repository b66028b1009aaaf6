"""Redis: views that are ready, and what was answered under an Idempotency-Key."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from services.gateway.domain.answers import ReadySums
from services.gateway.domain.problems import AwayError
from shared import keys
from shared.delivery.redis import Client
from shared.reports import Report, alive

IN_FLIGHT_S = 60
ANSWER_S = 24 * 3600


class Ready(NamedTuple):
    """A stored view and when its share was last looked at (Unix ms)."""

    content: bytes
    as_of_ms: int


class RedisReads:
    """What the gateway asks Redis."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def view(self, tenant_id: str, model_id: str, field: str) -> Ready | None:
        """One field of a model's view; `None` when there is none."""
        share = keys.share_of(tenant_id, model_id, self._partitions)
        async with asked():
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hget(keys.view(tenant_id, model_id), field)
            pipeline.hget(keys.LOOKED, str(share))
            content, looked = await pipeline.execute()
        return None if content is None or looked is None else Ready(content, int(looked))

    async def series(
        self, tenant_id: str, model_id: str, windows: tuple[str, ...]
    ) -> ReadySums | None:
        """Cells by series of several windows, with the status of the same look."""
        share = keys.share_of(tenant_id, model_id, self._partitions)
        async with asked():
            pipeline = self._client.pipeline(transaction=False)
            fields = [f"{window}:series" for window in windows]
            pipeline.hmget(keys.view(tenant_id, model_id), [*fields, keys.STATUS_FIELD])
            pipeline.hget(keys.LOOKED, str(share))
            (*contents, status), looked = await pipeline.execute()
        if None in contents or looked is None:
            return None
        by_window = {w: json.loads(c) for w, c in zip(windows, contents, strict=True)}
        return ReadySums(by_window, status, int(looked))

    async def models(self, tenant_id: str) -> dict[str, Any]:
        """Lines of the list of models."""
        async with asked():
            found: Any = await self._client.hgetall(keys.models(tenant_id))
        return {name.decode(): json.loads(line) for name, line in found.items()}

    async def reports(self, now: datetime) -> list[Report]:
        """What each living process says of itself; those who are gone are forgotten."""
        async with asked():
            found: Any = await self._client.hgetall(keys.REPORTS)
            living, gone = alive(found, now)
            if gone:
                await self._client.hdel(keys.REPORTS, *gone)
        return living

    async def begin(self, tenant_id: str, key: str, digest: str) -> str | None:
        """Reserve an Idempotency-Key; answers what is there already, `None` when it was free."""
        async with asked():
            reserved = await self._client.set(
                _idempotency(tenant_id, key), f"pending {digest}", nx=True, ex=IN_FLIGHT_S
            )
            if reserved:
                return None
            found: Any = await self._client.get(_idempotency(tenant_id, key))
        return found.decode() if found else None

    async def finish(
        self, tenant_id: str, key: str, digest: str, answer: dict[str, Any] | None
    ) -> None:
        """Keep the answer for a day; without one, free the key again."""
        async with asked():
            if answer is None:
                await self._client.delete(_idempotency(tenant_id, key))
            else:
                stored = f"done {digest} {json.dumps(answer)}"
                await self._client.set(_idempotency(tenant_id, key), stored, ex=ANSWER_S)

    async def end_session(self, session_id: str, seconds: int) -> None:
        """Remember that a session is over, for as long as it would have lasted."""
        async with asked():
            await self._client.set(_session(session_id), "ended", ex=seconds)

    async def session_ended(self, session_id: str) -> bool:
        """Whether a session was ended before its time."""
        async with asked():
            return bool(await self._client.exists(_session(session_id)))

    async def ping(self) -> None:
        """Raise `AwayError` unless Redis answers."""
        async with asked():
            await self._client.ping()


@asynccontextmanager
async def asked() -> AsyncIterator[None]:
    """Around whatever is asked of Redis: `AwayError` unless it answers."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise AwayError("redis") from error


def _idempotency(tenant_id: str, key: str) -> str:
    return f"idempotency:{tenant_id}:{sha256(key.encode()).hexdigest()}"


def _session(session_id: str) -> str:
    return f"ended-session:{session_id}"
