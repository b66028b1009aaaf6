"""Postgres and Redis over TLS, and what is said when that does not work."""

import asyncio
import os
import pwd
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from redis.exceptions import AuthenticationError, RedisError

from deploy.jobs.roles import give_passwords
from deploy.local.process import free_port, unprivileged_user
from deploy.migrations import migrate
from shared.store_errors import store_refusal
from shared.stores import connect_postgres, connect_redis
from tests.support.certificates import Authority
from tests.support.stores import PostgresHere, RedisHere
from tests.support.system import AUDIT, PASSWORD


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("strangers"), "stranger")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[str]:
    """The superuser's DSN, without TLS options, of a Postgres that takes nothing else."""
    server = PostgresHere(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        if not asyncio.run(_speaks_tls(server, authority)):
            pytest.skip("this Postgres was built without TLS")
        yield server.dsn
    finally:
        server.discard()


async def _speaks_tls(server: PostgresHere, authority: Authority) -> bool:
    connection = await asyncpg.connect(server.dsn)
    try:
        for name, file in zip(
            ("ssl_cert_file", "ssl_key_file"),
            authority.issue("postgres", "127.0.0.1", "localhost"),
            strict=True,
        ):
            there = server.data / file.name
            shutil.copy(file, there)
            there.chmod(0o600)
            if user := unprivileged_user():
                account = pwd.getpwnam(user)
                os.chown(there, account.pw_uid, account.pw_gid)
            await connection.execute(f"ALTER SYSTEM SET {name} = '{there}'")
        try:
            await connection.execute("ALTER SYSTEM SET ssl = on")
        except asyncpg.PostgresError:
            return False  # "SSL is not supported by this build"
        (server.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        await connection.execute("SELECT pg_reload_conf()")
        return True
    finally:
        await connection.close()


def verified(dsn: str, ca: Path) -> str:
    return f"{dsn}?sslmode=verify-full&sslrootcert={ca}"


async def test_migrations_and_services_speak_tls_with_postgres(
    postgres: str, authority: Authority
) -> None:
    dsn = verified(postgres, authority.ca)
    await migrate(dsn)
    dsns = await give_passwords(dsn, {"ingest": PASSWORD}, AUDIT)
    pool = await connect_postgres(SecretStr(dsns["ingest"]), service="ingest")
    found = await pool.fetchrow("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await pool.close()
    assert found["ssl"]
    assert found["version"] in ("TLSv1.2", "TLSv1.3")


async def test_a_postgres_that_nobody_vouches_for_is_not_believed(
    postgres: str, stranger: Authority
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        await connect_postgres(SecretStr(verified(postgres, stranger.ca)), service="ingest")
    said = str(store_refusal(caught.value))
    assert said.startswith("sslrootcert of ASSAY_POSTGRES_DSN")


async def test_a_password_that_is_wrong_is_named_and_not_repeated(
    postgres: str, authority: Authority
) -> None:
    before, _, host = postgres.rpartition("@")
    dsn = before.rpartition(":")[0] + ":mistyped@" + host
    with pytest.raises(asyncpg.InvalidPasswordError) as caught:
        await connect_postgres(SecretStr(verified(dsn, authority.ca)), service="ingest")
    said = str(store_refusal(caught.value))
    assert "ASSAY_POSTGRES_DSN" in said
    assert "mistyped" not in said


@pytest.fixture(scope="module")
async def redis(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> AsyncIterator[str]:
    """Host and port of a Redis that speaks TLS and wants a password there."""
    cert, key = authority.issue("redis", "127.0.0.1", "localhost")
    port = free_port()
    options = {
        "tls-port": str(port),
        "tls-cert-file": str(cert),
        "tls-key-file": str(key),
        "tls-ca-cert-file": str(authority.ca),
        "tls-auth-clients": "no",
    }
    server = RedisHere(tmp_path_factory.mktemp("redis"), **options)
    try:
        await asyncio.to_thread(server.start)
    except Exception as error:
        if "tls" in str(error).lower():
            pytest.skip("this Redis was built without TLS")
        raise
    client = connect_redis(SecretStr(server.url), cluster=False)
    await client.acl_setuser(
        "metrics", enabled=True, passwords=[f"+{PASSWORD}"], commands=["+ping"]
    )
    await client.acl_setuser("default", enabled=False)
    await client.aclose()
    yield f"127.0.0.1:{port}"
    await asyncio.to_thread(server.stop)


async def asked(url: str) -> object:
    client = connect_redis(SecretStr(url), cluster=False)
    try:
        return await client.ping()
    finally:
        await client.aclose()


async def test_services_speak_tls_with_redis(redis: str, authority: Authority) -> None:
    assert await asked(f"rediss://metrics:{PASSWORD}@{redis}/0?ssl_ca_certs={authority.ca}")


async def test_a_redis_that_nobody_vouches_for_is_not_believed(
    redis: str, stranger: Authority
) -> None:
    with pytest.raises(RedisError) as caught:
        await asked(f"rediss://metrics:{PASSWORD}@{redis}/0?ssl_ca_certs={stranger.ca}")
    assert str(store_refusal(caught.value)).startswith("ssl_ca_certs of ASSAY_REDIS_URL")


async def test_a_wrong_password_of_redis_is_named(redis: str, authority: Authority) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await asked(f"rediss://metrics:mistyped@{redis}/0?ssl_ca_certs={authority.ca}")
    said = str(store_refusal(caught.value))
    assert "ASSAY_REDIS_URL" in said
    assert "mistyped" not in said
