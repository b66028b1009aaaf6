"""Certificates that are not for the host, or have expired: each client refuses them and says so."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from pydantic import SecretStr
from redis.exceptions import RedisClusterException, RedisError

from shared.kafka_errors import why_refused
from shared.kafka_settings import KafkaSettings
from shared.store_errors import store_refusal
from shared.stores import connect_postgres, connect_redis
from tests.support.certificates import Authority

PASSWORD = "never-to-be-shown"


class Kind(NamedTuple):
    """A certificate that is good for nothing at `asked`."""

    asked: str
    host: str
    lasts: timedelta
    said: str


WRONG_ADDRESS = Kind("127.0.0.1", "elsewhere.example", timedelta(days=1), "is not for")
WRONG_NAME = Kind("localhost", "elsewhere.example", timedelta(days=1), "is not for")
EXPIRED = Kind("127.0.0.1", "127.0.0.1", timedelta(minutes=-30), "expired")
BAD = [
    pytest.param(WRONG_ADDRESS, id="wrong address"),
    pytest.param(WRONG_NAME, id="wrong name"),
    pytest.param(EXPIRED, id="expired"),
]


@asynccontextmanager
async def server(
    folder: Path, kind: Kind, *, as_postgres: bool = False
) -> AsyncIterator[tuple[Path, int]]:
    """One that speaks TLS and nothing after it; gives its authority and its port."""
    authority = Authority(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("server", kind.host, lasts=kind.lasts))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            if as_postgres:
                await reader.readexactly(8)  # SSLRequest
                writer.write(b"S")
                await writer.start_tls(context)
            await reader.read()
        writer.close()

    tls = None if as_postgres else context
    serving = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with serving:
        yield authority.ca, serving.sockets[0].getsockname()[1]


@pytest.mark.parametrize("kind", BAD)
async def test_kafka(tmp_path: Path, kind: Kind) -> None:
    async with server(tmp_path, kind) as (ca, port):
        settings = KafkaSettings(
            kafka_bootstrap_servers=f"{kind.asked}:{port}",
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_username="agent",
            kafka_sasl_password=SecretStr(PASSWORD),
            kafka_ssl_cafile=ca,
        )
        said = str(await why_refused(settings.connection))
    assert kind.said in said
    setting = "SSL_CAFILE" if kind is EXPIRED else "BOOTSTRAP_SERVERS"
    assert f"ASSAY_KAFKA_{setting}" in said
    assert PASSWORD not in said


@pytest.mark.parametrize("cluster", [False, True])
@pytest.mark.parametrize("kind", BAD)
async def test_redis(tmp_path: Path, kind: Kind, cluster: bool) -> None:
    async with server(tmp_path, kind) as (ca, port):
        url = f"rediss://metrics:{PASSWORD}@{kind.asked}:{port}/0?ssl_ca_certs={ca}"
        client = connect_redis(SecretStr(url), cluster=cluster)
        with pytest.raises((RedisError, RedisClusterException)) as caught:
            await client.ping()
        await client.aclose()
    said = str(store_refusal(caught.value))
    assert kind.said in said
    assert "ASSAY_REDIS_URL" in said
    assert PASSWORD not in said


@pytest.mark.parametrize("kind", BAD)
async def test_postgres(tmp_path: Path, kind: Kind) -> None:
    async with server(tmp_path, kind, as_postgres=True) as (ca, port):
        dsn = (
            f"postgresql://u:{PASSWORD}@{kind.asked}:{port}/d?sslmode=verify-full&sslrootcert={ca}"
        )
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await connect_postgres(SecretStr(dsn), service="ingest")
    said = str(store_refusal(caught.value))
    assert kind.said in said
    assert "ASSAY_POSTGRES_DSN" in said
    assert PASSWORD not in said


async def test_a_dsn_that_asyncpg_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = f"postgresql://u:{PASSWORD}@127.0.0.1:1/d?sslmode=bogus"
    with pytest.raises(asyncpg.ClientConfigurationError) as caught:
        await connect_postgres(SecretStr(dsn), service="ingest")
    said = str(store_refusal(caught.value))
    assert said.startswith("ASSAY_POSTGRES_DSN cannot be used: `sslmode`")
    assert PASSWORD not in said
