"""TLS, SCRAM, certificates and rights, on an Apache Kafka that insists on them."""

import asyncio
import contextlib
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from assay_sdk import Assay
from deploy.jobs.acls import WRITES, Acl, acls
from deploy.jobs.keys import create_key
from deploy.jobs.topics import create_topics
from deploy.local.process import free_port
from services.gateway.app import run as run_gateway
from services.gateway.settings import GatewaySettings
from services.ingest.app import run as run_ingest
from services.ingest.settings import IngestSettings
from shared.kafka_errors import KafkaRefusalError, check_rights
from shared.kafka_settings import KafkaSettings
from shared.producer import Message, Producer, ProducerAwayError
from shared.topics import topic_name
from tests.support.certificates import Authority
from tests.support.secure_kafka import SecureKafka
from tests.support.system import AUDIT, PARTITIONS, SECRET, prepared, querying, running
from tests.support.waiting import eventually


def connection(given: dict[str, Any]) -> Any:
    return KafkaSettings(**given).connection


def named(kind: str, rights: list[Acl]) -> list[Acl]:
    return [one._replace(principal=kind.format(one.principal)) for one in rights]


@pytest.fixture(scope="module")
async def prefix(secure_kafka: SecureKafka, topic_prefix: str) -> str:
    """Rights as `assay topics acls` lists them, and topics made by who may."""
    for kind in ("User:{}", "User:CN={}"):
        await secure_kafka.grant(named(kind, acls(topic_prefix)))
    migrator = connection(secure_kafka.by_password("migrator"))
    made = await create_topics(migrator, topic_prefix, PARTITIONS)
    assert all(one.created for one in made)
    return topic_prefix


async def test_services_and_the_client_work_with_the_listed_rights_and_no_more(
    secure_kafka: SecureKafka, prefix: str, database_dsn: str, redis_url: str
) -> None:
    dsns = await prepared(database_dsn)
    key = (
        await create_key(database_dsn, tenant="acme", role="admin", name="test", audit=AUDIT)
    ).key
    common: dict[str, Any] = {"topic_prefix": prefix, "redis_url": redis_url, "secret_key": SECRET}
    ingest = IngestSettings(
        **secure_kafka.by_password("ingest"), **common, postgres_dsn=dsns["ingest"]
    )
    port = free_port()
    gateway = GatewaySettings(
        **secure_kafka.by_certificate("gateway"),
        **common,
        postgres_dsn=dsns["gateway"],
        gateway_port=port,
    )
    operation = {"operation_id": "http", "model_id": "m", "success": True, "response_time_ms": 5}
    async with running(run_ingest(ingest)), running(run_gateway(gateway)):
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http:

            async def taken() -> bool:
                with contextlib.suppress(httpx2.TransportError):
                    return (await http.post("/ai/operations/log", json=operation)).is_success
                return False

            await eventually(taken, why="the gateway takes an operation", deadline_s=60)
        settings = dict(connection(secure_kafka.by_password("agents")))
        servers = ",".join(settings.pop("bootstrap_servers"))
        assay = Assay.kafka(servers, tenant_id="acme", topic_prefix=prefix, security=settings)
        with assay.operation("m"):
            pass
        assay.log(model_id="m", success="no truth", response_time_ms=1)  # a dead letter
        assert (await assay.aflush(30)) == (2, 0, 0)
        assay.close()
        async with querying(database_dsn) as rows:

            async def stored() -> bool:
                found = await rows(
                    "SELECT (SELECT count(DISTINCT operation_id) FROM ai_model_operations) AS good,"
                    " (SELECT count(*) FROM dead_letters WHERE published_at IS NOT NULL) AS dead"
                )
                return tuple(found[0]) == (2, 1)

            await eventually(stored, why="two are stored, one is dead", deadline_s=60)


@pytest.mark.parametrize("principal", ["agents", "nobody-much"])
async def test_who_may_not_read_is_told_so_and_waits(
    secure_kafka: SecureKafka, prefix: str, principal: str
) -> None:
    given = connection(secure_kafka.by_password(principal))
    with pytest.raises(KafkaRefusalError) as caught:
        await check_rights(given, [f"{prefix}operations.v1"], "ingest")
    said = str(caught.value)
    assert "ASSAY_KAFKA_SASL_USERNAME" in said
    assert "assay topics acls" in said
    assert ("group" if principal == "agents" else f"topic {prefix}operations.v1") in said


async def test_who_may_see_a_topic_and_not_read_it_is_told_so(
    secure_kafka: SecureKafka, prefix: str
) -> None:
    topic = f"{prefix}operations.v1"
    who = "User:onlooker"
    rights = [Acl(who, "Describe", "topic", topic), Acl(who, "Read", "group", "ingest")]
    await secure_kafka.grant(rights)
    given = connection(secure_kafka.by_password("onlooker"))
    with pytest.raises(KafkaRefusalError, match=f"lacks a right on topic {topic}"):
        await check_rights(given, [topic], "ingest")
    await secure_kafka.grant([Acl(who, "Read", "topic", topic)])
    await check_rights(given, [topic], "ingest")


async def test_who_may_not_write_learns_why_from_the_log(
    secure_kafka: SecureKafka, prefix: str
) -> None:
    producer = Producer(connection(secure_kafka.by_password("agents")), idempotence=True)
    with capture_logs() as logs, pytest.raises(ProducerAwayError):
        await producer.publish([Message(f"{prefix}alerts.v1", b"k", b"{}", [])])
    await producer.close()
    assert any("lacks a right on topic" in str(one.get("why")) for one in logs), logs


async def test_a_producer_that_is_refused_says_why_once_and_holds_nobody_up(
    secure_kafka: SecureKafka, prefix: str
) -> None:
    given = secure_kafka.by_password("agents", kafka_sasl_password="wrong")
    producer = Producer(connection(given), idempotence=True)
    with capture_logs() as logs:

        async def told() -> bool:
            with contextlib.suppress(ProducerAwayError):
                await producer.ready()
            return any(one["event"] == "kafka_refuses" for one in logs)

        await eventually(told, why="the log names the password")
    await producer.close()
    said = [one["why"] for one in logs if one["event"] == "kafka_refuses"]
    assert said == ["Kafka refuses ASSAY_KAFKA_SASL_USERNAME with ASSAY_KAFKA_SASL_PASSWORD"]


async def test_an_event_of_an_agent_goes_to_its_topics(
    secure_kafka: SecureKafka, prefix: str
) -> None:
    for given in (secure_kafka.by_password("agents"), secure_kafka.by_certificate("agents")):
        producer = Producer(connection(given), idempotence=True)
        await producer.publish([Message(f"{prefix}exposures.v1", b"k", b"{}", [])])
        await producer.close()


@pytest.mark.parametrize("who", sorted(set(WRITES) - {"operator"}))
async def test_each_program_may_write_all_that_it_writes(
    secure_kafka: SecureKafka, prefix: str, who: str
) -> None:
    producer = Producer(connection(secure_kafka.by_password(who)), idempotence=True)
    for topic in WRITES[who]:
        await producer.publish([Message(topic_name(topic, prefix), b"k", b"{}", [])])
    await producer.close()


async def refused(given: dict[str, Any], prefix: str) -> str:
    with pytest.raises(KafkaRefusalError) as caught:
        await create_topics(connection(given), prefix, PARTITIONS)
    return str(caught.value)


async def test_a_wrong_password_is_named(secure_kafka: SecureKafka, prefix: str) -> None:
    given = secure_kafka.by_password("migrator", kafka_sasl_password="wrong")
    said = await refused(given, prefix)
    assert "ASSAY_KAFKA_SASL_PASSWORD" in said
    assert "wrong" not in said


async def test_a_broker_that_nobody_vouches_for_is_named(
    secure_kafka: SecureKafka, prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("strangers"), "stranger")
    said = await refused(secure_kafka.by_password("migrator", kafka_ssl_cafile=stranger.ca), prefix)
    assert "ASSAY_KAFKA_SSL_CAFILE" in said


async def test_a_certificate_of_a_stranger_is_named(
    secure_kafka: SecureKafka, prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cert, key = Authority(tmp_path_factory.mktemp("strangers"), "stranger").issue("migrator")
    given = secure_kafka.by_certificate("migrator", kafka_ssl_certfile=cert, kafka_ssl_keyfile=key)
    assert "ASSAY_KAFKA_SSL_CERTFILE" in await refused(given, prefix)


async def test_who_may_not_make_topics_is_told_which_right_is_missing(
    secure_kafka: SecureKafka, prefix: str
) -> None:
    said = await refused(secure_kafka.by_password("ingest"), "another.")
    assert "lacks a right on" in said


async def test_a_mechanism_that_is_not_spoken_is_named(
    secure_kafka: SecureKafka, prefix: str
) -> None:
    said = await refused(secure_kafka.by_password("migrator", kafka_sasl_mechanism="PLAIN"), prefix)
    assert "ASSAY_KAFKA_SASL_MECHANISM" in said


async def test_tls_where_none_is_spoken_is_named(secure_kafka: SecureKafka, prefix: str) -> None:
    given = secure_kafka.by_password("migrator", kafka_bootstrap_servers=secure_kafka.bootstrap)
    async with asyncio.timeout(60):
        assert "ASSAY_KAFKA_SECURITY_PROTOCOL" in await refused(given, prefix)
