"""Writers at once fork no chain, nobody may change one, and whoever does is seen."""

import asyncio
import random
from contextlib import suppress

import asyncpg
import pytest

from shared.audit.chain import INSTALLATION, Head, Row
from tests.integration.audit.kept import COLUMNS, WHO, act, acting_as, entry, kept, verdict
from tests.support.system import AUDIT, prepared, querying
from tests.unit.audit.made import anchor_of, look
from tests.unit.audit.test_chain import KINDS, TAMPERINGS

WRITERS, EACH = 20, 10
APPEND = "SELECT audit_append($1, now(), 'key:x', NULL, 'a', 'b', 'c', NULL, NULL, NULL, 0, $2, $3)"


@pytest.fixture(scope="module")
async def dsns(database_dsn: str) -> dict[str, str]:
    """Two tenants with a chain of 200 rows each, by twenty writers at once."""
    found = await prepared(database_dsn)
    await asyncio.gather(
        *(
            act(found["gateway"], tenant, *range(writer * EACH, (writer + 1) * EACH))
            for writer in range(WRITERS)
            for tenant in ("acme", "globex")
        )
    )
    return found


@pytest.mark.parametrize("tenant", ["acme", "globex"])
async def test_twenty_writers_at_once_fork_nothing_and_leave_no_gap(
    dsns: dict[str, str], database_dsn: str, tenant: str
) -> None:
    assert dsns
    rows, head = await kept(database_dsn, tenant)
    assert [row.sequence for row in rows] == list(range(1, WRITERS * EACH + 1))
    assert {row.object_id for row in rows} == {f"s-{n}" for n in range(WRITERS * EACH)}
    assert len({row.prev_hash for row in rows}) == len(rows)
    assert (await verdict(database_dsn, tenant)).whole
    assert head == (rows[-1].sequence, rows[-1].row_hash)
    times = [row.occurred_at for row in rows]
    assert times == sorted(times)
    assert "mine" not in str(rows)


async def test_what_is_undone_leaves_no_row(dsns: dict[str, str], database_dsn: str) -> None:
    before = await kept(database_dsn, "acme")
    with suppress(ZeroDivisionError):
        async with acting_as(dsns["gateway"], "acme") as connection:
            await AUDIT.write(connection, "acme", WHO, entry(1))
            raise ZeroDivisionError
    assert await kept(database_dsn, "acme") == before


async def test_a_tenant_sees_its_own_and_can_change_nothing(dsns: dict[str, str]) -> None:
    async with acting_as(dsns["gateway"], "acme") as connection:
        for table in ("audit_log", "audit_heads"):
            found = await connection.fetch(f"SELECT DISTINCT tenant_id FROM {table}")
            assert [row[0] for row in found] == ["acme"]
    for statement in (
        "INSERT INTO audit_log SELECT * FROM audit_log LIMIT 1",
        "UPDATE audit_log SET actor = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_heads VALUES ('acme', 1, '')",
        "UPDATE audit_heads SET sequence = 1",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with acting_as(dsns["gateway"], "acme") as connection:
                await connection.execute(statement)


async def test_no_role_but_the_owner_was_given_more_than_reading(
    dsns: dict[str, str], database_dsn: str
) -> None:
    assert dsns
    async with querying(database_dsn) as run:
        granted = await run(
            "SELECT DISTINCT grantee, privilege_type FROM information_schema.role_table_grants"
            " WHERE table_name IN ('audit_log', 'audit_heads') AND grantee <> 'assay_owner'"
        )
        callers = await run(
            """
            SELECT DISTINCT grantee FROM information_schema.role_routine_grants
             WHERE routine_name LIKE 'audit\\_%' AND grantee <> 'assay_owner'
            """
        )
    assert [tuple(row) for row in granted] == [("svc_api", "SELECT")]
    assert [row[0] for row in callers] == ["svc_api"]


async def test_the_gateway_appends_to_its_tenants_chain_only_and_only_at_its_end(
    dsns: dict[str, str], database_dsn: str
) -> None:
    rows, _ = await kept(database_dsn, "acme")
    hash_ = bytes(32)
    for sequence, before in (
        (len(rows), rows[-1].prev_hash),
        (len(rows) + 2, rows[-1].row_hash),
        (len(rows) + 1, hash_),
        (1, hash_),
    ):
        with pytest.raises(asyncpg.RaiseError, match="does not follow the head"):
            async with acting_as(dsns["gateway"], "acme") as connection:
                await connection.execute(APPEND, sequence, before, hash_)
    with pytest.raises(asyncpg.RaiseError, match="knows no tenant"):
        async with acting_as(dsns["gateway"], "") as connection:
            await connection.execute(APPEND, 1, hash_, hash_)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with acting_as(dsns["gateway"], INSTALLATION) as connection:
            await connection.execute(APPEND, 1, hash_, hash_)
    for service in ("ingest", "metrics", "notify", "abtest", "feedback"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with acting_as(dsns[service], "acme") as connection:
                await connection.fetch("SELECT * FROM audit_lock_head()")


async def test_a_thousand_tamperings_of_the_kept_chain_all_show(
    dsns: dict[str, str], database_dsn: str, seed: int
) -> None:
    assert dsns
    rows, head = await kept(database_dsn, "acme")
    anchors, keys, draw = (
        [anchor_of(rows[99]), anchor_of(rows[-1])],
        AUDIT.keys,
        random.Random(seed),
    )
    as_of = rows[-1].occurred_at
    assert look(rows, head, anchors, keys, as_of).whole
    unseen = []
    for number in range(TAMPERINGS):
        kind = KINDS[number % len(KINDS)]
        tampered, said = kind(rows, draw)
        if look(tampered, said, anchors, keys, as_of).whole:
            unseen.append(kind.__name__)
    assert not unseen, f"seed {seed}"


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_log SET actor = 'key:me' WHERE tenant_id = 'acme' AND sequence = 7", 7),
        ("UPDATE audit_log SET after = after || ' ' WHERE tenant_id = 'acme' AND sequence = 9", 9),
        ("DELETE FROM audit_log WHERE tenant_id = 'acme' AND sequence = 1", 1),
        ("DELETE FROM audit_log WHERE tenant_id = 'acme' AND sequence > 150", 151),
        ("DELETE FROM audit_heads WHERE tenant_id = 'acme'", 1),
        ("UPDATE audit_log SET tenant_id = 'none' WHERE tenant_id = 'acme' AND sequence = 5", 5),
    ],
)
async def test_what_an_administrator_does_to_the_table_shows(
    dsns: dict[str, str], database_dsn: str, statement: str, broken: int
) -> None:
    assert dsns
    connection = await asyncpg.connect(database_dsn)
    undo = connection.transaction()
    await undo.start()
    await connection.execute(statement)
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM audit_log WHERE tenant_id = 'acme' ORDER BY sequence"
    )
    head = await connection.fetchrow(
        "SELECT sequence, row_hash FROM audit_heads WHERE tenant_id = 'acme'"
    )
    await undo.rollback()
    await connection.close()
    found = look([Row(*row) for row in rows], Head(*head) if head else None, (), AUDIT.keys)
    assert found.first_broken == broken
