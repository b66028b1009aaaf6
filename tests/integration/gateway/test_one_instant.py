"""What one answer says, it says of one instant."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from services.gateway.queries import reading as queries
from services.gateway.store.postgres import PostgresReads
from services.gateway.store.sessions import Sessions
from shared.stores import LazyPostgres
from tests.support.system import prepared, querying

COUNT = "SELECT count(*) FROM operation_rollup_minute"
ONE_MORE = """
    INSERT INTO operation_rollup_minute
        (tenant_id, minute, model_id, environment, operation_type, variant, topic, partition, n)
    VALUES ('acme', date_trunc('minute', now()), 'm', 'production', 'chat', '', 't', 0, 1)
"""


async def test_what_is_stored_meanwhile_is_in_all_statements_or_in_none(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsns = await prepared(database_dsn)

    async def twice(connection: Any, *_: Any) -> Any:
        before = await connection.fetchval(COUNT)
        async with querying(database_dsn) as run:
            await run(ONE_MORE)
            assert (await run(COUNT))[0][0] == 1
        return before, await connection.fetchval(COUNT)

    monkeypatch.setattr(queries, "minutes", twice)
    postgres = LazyPostgres(SecretStr(dsns["gateway"]), service="gateway")
    now = datetime.now(UTC)
    found: Any = await PostgresReads(Sessions(postgres)).minutes("acme", None, (now, now), 60)
    assert found == (0, 0)
    await postgres.close()
