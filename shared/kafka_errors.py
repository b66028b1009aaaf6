"""What a refusal of Kafka means, in a sentence that names the setting to look at."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
    for_code,
)

from shared.kafka_settings import Connection
from shared.tls import is_for_others

ASK_WITHIN_S = 5.0
FETCH_MS = 300
LISTEN_S = 1.0
_NO_TLS = "ASSAY_KAFKA_SECURITY_PROTOCOL wants TLS, which is not spoken at this port"
GRANT = "`assay topics acls` lists what each principal needs"
CREDENTIALS = (AuthenticationFailedError, SaslAuthenticationFailed)


class KafkaRefusalError(Exception):
    """Kafka is there and does not let us in, or not do this; says which setting is to blame."""


def refusal(error: BaseException) -> str | None:
    """What an error means, if it is a refusal of Kafka or of the way to it."""
    if isinstance(error, ssl.SSLError):
        return _of_tls(error)
    if isinstance(error, CREDENTIALS):
        return "Kafka refuses ASSAY_KAFKA_SASL_USERNAME with ASSAY_KAFKA_SASL_PASSWORD"
    if isinstance(error, (UnsupportedSaslMechanismError, IllegalSaslStateError)):
        return "Kafka does not know ASSAY_KAFKA_SASL_MECHANISM, or takes no SASL here"
    for kind, what in (
        (TopicAuthorizationFailedError, "topic"),
        (GroupAuthorizationFailedError, "group"),
        (ClusterAuthorizationFailedError, "cluster"),
    ):
        if isinstance(error, kind):
            named = " ".join(str(part) for part in error.args)
            return (
                f"the principal of ASSAY_KAFKA_SASL_USERNAME or ASSAY_KAFKA_SSL_CERTFILE lacks a "
                f"right on {what} {named}: {GRANT}"
            )
    return None


def _of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if is_for_others(error):
            name = "a name in ASSAY_KAFKA_BOOTSTRAP_SERVERS, or that brokers advertise"
            return f"the broker's certificate is not for {name}: {error.verify_message}"
        who = "ASSAY_KAFKA_SSL_CAFILE (or the system's authorities)"
        return f"{who} does not vouch for the broker's certificate: {error.verify_message}"
    if "ALERT" in (error.reason or "") or "ALERT" in str(error):
        return f"Kafka refuses ASSAY_KAFKA_SSL_CERTFILE, or wants one: {error.reason}"
    return f"{_NO_TLS}: {error.reason}"


async def why_refused(connection: Connection) -> str | None:
    """Ask for the reason why no client gets in: aiokafka only says that none did."""
    options = dict(connection)
    servers = options.pop("bootstrap_servers")
    for server in servers.split(",") if isinstance(servers, str) else servers:
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                (await create_conn(host, int(port), **options)).close()
        except Exception as error:
            if said := refusal(error) or await _tls_says(host, int(port), options):
                return said
    return None


async def _tls_says(host: str, port: int, options: Mapping[str, Any]) -> str | None:
    """What the broker says to TLS alone: a certificate is refused after the handshake, and aiokafka
    then only knows that the connection was closed.
    """
    if options.get("ssl_context") is None:
        return None
    try:
        async with asyncio.timeout(ASK_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=options["ssl_context"])
            try:
                await asyncio.wait_for(reader.read(1), LISTEN_S)
            finally:
                writer.close()
    except ssl.SSLError as error:
        return _of_tls(error)
    except (ConnectionResetError, ConnectionAbortedError):
        return _NO_TLS
    except (OSError, TimeoutError):
        return None
    return None


@asynccontextmanager
async def refusals_explained(connection: Connection) -> AsyncIterator[None]:
    """Turn what a client raises into `KafkaRefusalError`, where it was refused."""
    try:
        yield
    except Exception as error:
        said = refusal(error)
        if said is None and isinstance(error, (KafkaError, OSError, TimeoutError)):
            said = await why_refused(connection)
        if said is None:
            raise
        raise KafkaRefusalError(said) from error


async def check_rights(connection: Connection, topics: Sequence[str], group: str) -> None:
    """Raise `KafkaRefusalError` where this principal may not read these topics or join the group.

    A consumer would say nothing and wait for ever.
    """
    async with refusals_explained(connection):
        await _ask_rights(connection, topics, group)


async def _ask_rights(connection: Connection, topics: Sequence[str], group: str) -> None:
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        for one in await admin.describe_topics(list(topics)):
            if for_code(one["error_code"]) is TopicAuthorizationFailedError:
                raise TopicAuthorizationFailedError(one["topic"])
    finally:
        await admin.close()
    consumer = AIOKafkaConsumer(**connection, group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        places = [TopicPartition(topic, 0) for topic in topics]
        consumer.assign(places)
        await consumer.committed(places[0])
        await consumer.seek_to_end()
        # Who may see a topic may not yet read it; only a fetch tells.
        await consumer.getmany(timeout_ms=FETCH_MS)
    finally:
        await consumer.stop()
