"""The doctor at servers that ask for names: who is refused, and what is missing."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from deploy.doctor.examining import Patient, examine
from deploy.doctor.finding import Finding, Level
from deploy.jobs.acls import Acl, acls
from deploy.jobs.redis_acls import RIGHTS
from deploy.jobs.topics import create_topics
from shared.kafka_settings import plain
from tests.support.certificates import Authority
from tests.support.secure_kafka import SecureKafka
from tests.support.stores import RedisHere
from tests.support.system import PARTITIONS, PASSWORD

Asked = Callable[..., dict[str, Finding]]


@pytest.fixture(scope="module")
def prefix(secure_kafka: SecureKafka, topic_prefix: str) -> str:
    """Topics, and the rights that `assay topics acls` lists."""

    async def prepare() -> None:
        given = [one._replace(principal=f"User:{one.principal}") for one in acls(topic_prefix)]
        await secure_kafka.grant(given)
        await create_topics(plain(secure_kafka.bootstrap), topic_prefix, PARTITIONS)

    asyncio.run(prepare())
    return topic_prefix


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    """Asks with these settings alone."""

    def ask(program: str = "operator", **settings: Any) -> dict[str, Finding]:
        for name, value in settings.items():
            monkeypatch.setenv(f"ASSAY_{name}".upper(), str(value))
        return {one.name: one for one in asyncio.run(examine(Patient(tmp_path, program)))}

    return ask


@pytest.mark.parametrize("program", ["operator", "ingest", "notify", "gateway", "agents"])
def test_a_program_with_its_rights_lacks_none(
    doctor: Asked, secure_kafka: SecureKafka, prefix: str, program: str
) -> None:
    found = doctor(program, topic_prefix=prefix, **secure_kafka.by_password(program))
    assert found["kafka"].level is Level.OK
    assert found["kafka rights"].level is Level.OK, found["kafka rights"]


def test_a_right_that_is_missing_is_named(
    doctor: Asked, secure_kafka: SecureKafka, prefix: str
) -> None:
    found = doctor("ingest", topic_prefix=prefix, **secure_kafka.by_password("agents"))
    assert found["kafka rights"].level is Level.FAIL
    assert "as ingest no permission: " in found["kafka rights"].seen
    assert f"Read on {prefix}operations.v1" in found["kafka rights"].seen
    assert "assay topics acls" in str(found["kafka rights"].then)


def test_a_group_that_may_not_be_joined_is_named(
    doctor: Asked, secure_kafka: SecureKafka, prefix: str
) -> None:
    rights = [
        one._replace(principal="User:onlooker")
        for one in acls(prefix)
        if one.principal == "notify" and one.resource == "topic"
    ]
    asyncio.run(secure_kafka.grant(rights))
    given = secure_kafka.by_password("onlooker")
    found = doctor("notify", topic_prefix=prefix, **given)
    assert found["kafka rights"].level is Level.FAIL
    assert "group" in found["kafka rights"].seen
    asyncio.run(secure_kafka.grant([Acl("User:onlooker", "Read", "group", "notify")]))
    found = doctor("notify", topic_prefix=prefix, **given)
    assert found["kafka rights"].level is Level.OK


def test_a_wrong_password_of_kafka_is_told_apart_from_a_broker_that_is_away(
    doctor: Asked, secure_kafka: SecureKafka
) -> None:
    given = secure_kafka.by_password("operator", kafka_sasl_password="mistyped")
    found = doctor(**given)
    assert (found["kafka"].level, found["topics"].level) == (Level.FAIL, Level.UNSEEN)
    assert "refuses ASSAY_KAFKA_SASL_USERNAME" in found["kafka"].seen
    assert "mistyped" not in str(found)


def test_an_authority_that_vouches_for_nobody_there_is_named(
    doctor: Asked, secure_kafka: SecureKafka, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("strangers"), "stranger")
    found = doctor(**secure_kafka.by_password("operator", kafka_ssl_cafile=stranger.ca))
    assert "ASSAY_KAFKA_SSL_CAFILE" in found["kafka"].seen
    found = doctor(kafka_bootstrap_servers=secure_kafka.bootstrap)
    assert "wants TLS, which is not spoken" in found["kafka"].seen


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One that forgets, and users that may do all, or only look."""
    options = {"maxmemory-policy": "allkeys-lru", "appendonly": "no"}
    server = RedisHere(tmp_path_factory.mktemp("redis"), **options)
    server.start()
    with Redis.from_url(server.url) as client:
        every = {"enabled": True, "passwords": [f"+{PASSWORD}"], "keys": ["*"]}
        client.acl_setuser("writer", **every, commands=["+@all"])
        client.acl_setuser("reader", **every, commands=["+@read", "+@connection", "+info", "+time"])
        for user in ("operator", "metrics"):
            rights = RIGHTS[user].split()
            client.execute_command("ACL", "SETUSER", user, "on", f">{PASSWORD}", "-@all", *rights)
    yield f"127.0.0.1:{server.port}"
    server.stop()


def test_a_redis_that_forgets_is_told(doctor: Asked, redis: str) -> None:
    found = doctor(redis_url=f"redis://writer:{PASSWORD}@{redis}/0")
    assert found["redis memory"].level is Level.FAIL
    assert "maxmemory-policy noeviction" in str(found["redis memory"].then)
    assert found["redis persistence"].level is Level.WARN
    assert found["redis writes"].level is Level.OK


@pytest.mark.parametrize("user", ["operator", "metrics"])
def test_a_user_with_its_listed_rights_lacks_none(doctor: Asked, redis: str, user: str) -> None:
    found = doctor(redis_url=f"redis://{user}:{PASSWORD}@{redis}/0")
    for name in ("redis", "redis version", "redis writes", "redis clock"):
        assert found[name].level is Level.OK, found[name]


def test_a_user_who_may_only_look_is_told(doctor: Asked, redis: str) -> None:
    found = doctor(redis_url=f"redis://reader:{PASSWORD}@{redis}/0")
    assert found["redis writes"].level is Level.FAIL
    assert "SCRIPT LOAD" in str(found["redis writes"].then)


def test_a_wrong_password_of_redis_is_told(doctor: Asked, redis: str) -> None:
    found = doctor(redis_url=f"redis://writer:mistyped@{redis}/0")
    assert (found["redis"].level, found["redis writes"].level) == (Level.FAIL, Level.UNSEEN)
    assert "refuses the user and password of ASSAY_REDIS_URL" in found["redis"].seen
    assert "mistyped" not in str(found)
