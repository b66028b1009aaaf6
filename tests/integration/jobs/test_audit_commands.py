"""Commands tell what they do; the log is taken out and verified without any server."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import main
from deploy.jobs import dead_letters
from deploy.migrations import migrate
from shared.audit.anchor_file import AnchorFile
from shared.audit.chain import INSTALLATION, Anchor
from shared.clock import utc_now
from tests.integration.audit.kept import act, acting_as, kept, verdict
from tests.support.commands import commands_leave_the_log  # noqa: F401 - in force by its name
from tests.support.system import AUDIT, SECRET, querying

Assay = Callable[..., Result]


@pytest.fixture
def assay(fresh_database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Assay:
    """The program, on a database of its own."""
    asyncio.run(migrate(fresh_database))
    for name, value in {
        "ASSAY_POSTGRES_DSN": fresh_database,
        "ASSAY_REDIS_URL": redis_url,
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "ASSAY_SECRET_KEY": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(main.app, [*arguments, "--json"])


def told(dsn: str, tenant: str) -> list[tuple[str, Any]]:
    rows, _ = asyncio.run(kept(dsn, tenant))
    assert all(row.actor.startswith("cli:") and "@" in row.actor for row in rows)
    assert asyncio.run(verdict(dsn, tenant)).whole
    return [(row.action, row.after and json.loads(row.after)) for row in rows]


def test_a_key_is_told_with_its_role_and_without_its_secret(
    assay: Assay, fresh_database: str
) -> None:
    made = json.loads(assay("keys", "create", "--role", "viewer", "--tenant", "acme").stdout)
    ((action, after),) = told(fresh_database, "acme")
    assert (action, after["role"], after["new_tenant"]) == ("key.create", "viewer", True)
    rows, _ = asyncio.run(kept(fresh_database, "acme"))
    assert rows[0].object_id == made["key_id"]
    assert made["key"].rpartition("_")[2] not in str(rows)


def test_a_key_that_is_not_made_is_not_told(assay: Assay, fresh_database: str) -> None:
    assert assay("keys", "create", "--role", "king", "--tenant", "acme").exit_code == 1
    assert assay("keys", "create", "--role", "viewer", "--tenant", "NO!").exit_code == 1
    assert told(fresh_database, "acme") == []


def test_who_takes_out_what_proves_a_tenant_is_told_to_it(
    assay: Assay, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_EVENT_MASTER_KEY", f"7:{SECRET}")
    assay("keys", "create", "--role", "viewer", "--tenant", "acme")
    for tenant, chain in (("acme", "acme"), ("nobody-yet", INSTALLATION)):
        answer = assay("keys", "tenant-proof", "--tenant", tenant)
        assert answer.exit_code == 0, answer.output
        assert told(fresh_database, chain)[-1] == ("key.tenant_proof", {"version": "7"})
        rows, _ = asyncio.run(kept(fresh_database, chain))
        assert rows[-1].object_id == tenant
        assert json.loads(answer.stdout)["key"].partition(".")[2] not in str(rows)


@pytest.mark.parametrize(
    ("command", "action"),
    [
        (("rebuild", "metrics"), "rebuild.metrics"),
        (("rebuild", "abtest"), "rebuild.abtest"),
        (("rebuild", "training"), "rebuild.training"),
        (("reconcile",), "reconcile"),
    ],
)
def test_what_is_mended_is_told_before_it_begins_and_when_it_ends(
    assay: Assay, fresh_database: str, command: tuple[str, ...], action: str
) -> None:
    answer = assay(*command)
    assert answer.exit_code == 0, answer.output
    found = told(fresh_database, INSTALLATION)
    assert [(name, after["phase"]) for name, after in found] == [
        (action, "begun"),
        (action, "done"),
    ]


def test_a_look_is_not_told(assay: Assay, fresh_database: str) -> None:
    assert assay("reconcile", "--check").exit_code == 0
    assert told(fresh_database, INSTALLATION) == []


def test_what_fails_is_told_too(assay: Assay, fresh_database: str) -> None:
    assert assay("dlq", "redrive", "--all").exit_code == 1  # there is no broker
    found = told(fresh_database, INSTALLATION)
    assert [after["phase"] for _, after in found] == ["begun", "failed"]
    assert found[0][1]["waiting_only"] is True


def test_without_a_key_nothing_is_done(
    assay: Assay, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_SECRET_KEY")
    monkeypatch.setenv("ASSAY_EVENT_MASTER_KEY", SECRET)
    for command in (
        ("keys", "tenant-proof", "--tenant", "acme"),
        ("keys", "create", "--role", "viewer", "--tenant", "acme"),
        ("rebuild", "metrics"),
        ("reconcile",),
        ("dlq", "redrive", "--all"),
    ):
        answer = assay(*command)
        assert answer.exit_code == 1
        assert "ASSAY_AUDIT_KEY" in answer.output

    async def keys() -> list[Any]:
        async with querying(fresh_database) as run:
            return await run("SELECT * FROM api_keys")

    assert asyncio.run(keys()) == []


LETTER = """
    INSERT INTO dead_letters (topic, partition, kafka_offset, reason, detail, tenant_id,
                              record_timestamp)
    VALUES ('t', 0, $1, 'unknown_tenant', '', $2, now())
"""


async def test_a_letter_is_told_to_its_tenant_if_there_is_one(fresh_database: str) -> None:
    await migrate(fresh_database)
    async with querying(fresh_database) as run:
        await run("INSERT INTO tenants (tenant_id) VALUES ('acme')")
        for offset, tenant in enumerate(("acme", "made-up", None)):
            await run(LETTER, offset, tenant)
        for letter in await dead_letters.find(fresh_database, dead_letters.Selection(), 10):
            async with acting_as(fresh_database, "") as connection:
                await dead_letters._mark(connection, letter, AUDIT)
        left = await run("SELECT * FROM dead_letters WHERE redriven_at IS NULL")
    assert left == []
    for tenant, identities in (("acme", {"t:0:0"}), (INSTALLATION, {"t:0:1", "t:0:2"})):
        rows, _ = await kept(fresh_database, tenant)
        assert {(row.action, row.object_id) for row in rows} == {
            ("dead_letter.redrive", one) for one in identities
        }
    assert (await kept(fresh_database, "made-up")) == ([], None)


@pytest.fixture
def exported(assay: Assay, fresh_database: str, tmp_path: Path) -> Path:
    """A chain of twenty rows and of who took it out, as a file."""
    asyncio.run(act(fresh_database, "acme", *range(20)))
    path = tmp_path / "acme.jsonl"
    answer = assay("audit", "export", str(path), "--tenant", "acme")
    assert json.loads(answer.stdout)["rows"] == 21
    assert path.stat().st_mode & 0o077 == 0
    return path


def test_an_export_is_verified_without_any_server(
    assay: Assay, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ASSAY_POSTGRES_DSN", "ASSAY_REDIS_URL", "ASSAY_KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name)
    answer = assay("audit", "verify", str(exported))
    found = json.loads(answer.stdout)
    assert (answer.exit_code, found["valid"], found["entries"]) == (0, True, 21)
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join([*lines[:7], *lines[8:]]))
    answer = assay("audit", "verify", str(exported))
    found = json.loads(answer.stdout)
    assert (answer.exit_code, found["first_bad"], found["why"]) == (1, 7, "row 7 is missing")
    exported.write_bytes(b"".join(lines[:7]))
    assert assay("audit", "verify", str(exported)).exit_code == 1
    assert assay("audit", "verify", str(exported.with_name("none"))).exit_code == 1


def test_an_export_is_not_written_over(assay: Assay, exported: Path) -> None:
    before = exported.read_bytes()
    assert assay("audit", "export", str(exported), "--tenant", "acme").exit_code == 1
    assert exported.read_bytes() == before


def test_a_name_that_is_misspelt_begins_no_chain(
    assay: Assay, fresh_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "acmee.jsonl"
    answer = assay("audit", "export", str(path), "--tenant", "acmee")
    assert (answer.exit_code, "no tenant 'acmee'" in answer.output) == (1, True)
    assert not path.exists()
    assert asyncio.run(kept(fresh_database, "acmee")) == ([], None)


def test_an_export_is_compared_with_anchors(
    assay: Assay, exported: Path, fresh_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "anchors"
    rows, _ = asyncio.run(kept(fresh_database, "acme"))
    anchors = [Anchor("acme", rows[4].occurred_at, 5, rows[4].row_hash)]
    with AnchorFile(path, AUDIT.keys).locked() as appending:
        appending.append(anchors)
    answer = assay("audit", "verify", str(exported), "--anchors", str(path))
    assert json.loads(answer.stdout)["anchors"] == 1
    longer = Anchor("acme", rows[-1].occurred_at, 30, bytes(32))
    later = Anchor("acme", utc_now(), 31, bytes(32))
    with AnchorFile(path, AUDIT.keys).locked() as appending:
        appending.append([longer])
    with AnchorFile(path, AUDIT.keys).locked() as appending:
        appending.append([later])
    answer = assay("audit", "verify", str(exported), "--anchors", str(path))
    assert answer.exit_code == 1
    assert "rows were cut" in json.loads(answer.stdout)["why"]
    assert assay("audit", "verify", str(exported), "--anchors", "/none").exit_code == 1


def test_the_log_is_told_of_who_takes_it_out(
    assay: Assay, fresh_database: str, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        answer = assay("audit", "export", str(tmp_path / name))
        assert answer.exit_code == 0, answer.output
    assert [action for action, _ in told(fresh_database, INSTALLATION)] == 2 * ["audit.export"]


def test_who_looks_into_a_letter_is_told(assay: Assay, fresh_database: str) -> None:
    async def put() -> None:
        async with querying(fresh_database) as run:
            await run("INSERT INTO tenants (tenant_id) VALUES ('acme')")
            await run(LETTER, 0, "acme")

    asyncio.run(put())
    assert assay("dlq", "show", "t:0:7").exit_code == 1
    assert assay("dlq", "show", "t:0:0").exit_code == 0
    rows, _ = asyncio.run(kept(fresh_database, "acme"))
    assert [(row.action, row.object_id) for row in rows] == [("dead_letter.read", "t:0:0")]
    assert told(fresh_database, INSTALLATION) == []
