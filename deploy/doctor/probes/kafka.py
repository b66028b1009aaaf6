"""Kafka: one connection to the first broker that answers, and a knock at each of the others."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.admin import DescribeConfigsRequest

from deploy.doctor.facts import KafkaFacts, TopicFacts, Unseen, Why
from deploy.doctor.probes.kafka_words import UNTOLD, DescribeRequest, allowed
from deploy.doctor.probes.ways import SPEAKS, is_reachable, why_away
from shared.kafka_errors import KafkaRefusalError, check_rights, refusal, why_refused
from shared.kafka_settings import Connection

FETCH = 1
TOPIC = 2
REQUEST_WITHIN_MS = 4_000
ERRORS = {UnknownTopicOrPartitionError: "absent", TopicAuthorizationFailedError: "forbidden"}
FAILURES = (KafkaError, OSError, TimeoutError)


async def probe_kafka(
    connection: Connection, topics: Sequence[str], reads: Sequence[str], group: str
) -> KafkaFacts | Unseen:
    """Facts of these topics; `reads` are those that the group reads."""
    options = dict(connection)
    given = options.pop("bootstrap_servers")
    servers = [_split(one) for one in (given.split(",") if isinstance(given, str) else given)]
    for host, port in servers:
        try:
            link = await create_conn(host, port, request_timeout_ms=REQUEST_WITHIN_MS, **options)
        except FAILURES as error:
            if said := refusal(error):
                return Unseen(Why.REFUSED, said)
            continue
        try:
            facts = await _facts(link, f"{host}:{port}", list(topics))
        finally:
            link.close()
        return await _with_group(facts, connection, reads, group)
    return await _why_not(servers, connection)


async def _facts(link: AIOKafkaConnection, where: str, topics: list[str]) -> KafkaFacts:
    answer = (await link.send(DescribeRequest(topics))).to_object()
    settings = await _settings(link, topics)
    found = {one["topic"]: _topic(one, settings.get(one["topic"])) for one in answer["topics"]}
    brokers = [(one["host"], one["port"]) for one in answer["brokers"]]
    reached = await asyncio.gather(*(is_reachable(*one) for one in brokers))
    return KafkaFacts(
        where,
        brokers=len(brokers),
        unreachable=tuple(
            f"{host}:{port}"
            for (host, port), there in zip(brokers, reached, strict=True)
            if not there
        ),
        fetch_version=link._versions.get(FETCH, (0, None))[1],
        topics=found,
    )


def _topic(described: Mapping[str, Any], settings: dict[str, str] | None) -> TopicFacts:
    if code := described["error_code"]:
        return TopicFacts(error=ERRORS.get(for_code(code), for_code(code).__name__))
    partitions = described["partitions"]
    return TopicFacts(
        partitions=len(partitions),
        leaderless=sum(one["leader"] < 0 for one in partitions),
        behind=sum(len(one["isr"]) < len(one["replicas"]) for one in partitions),
        allowed=allowed(described.get("authorized_operations", UNTOLD)),
        settings=settings,
    )


async def _settings(link: AIOKafkaConnection, topics: list[str]) -> dict[str, dict[str, str]]:
    """Of the topics whose settings our principal may see."""
    asked = [(TOPIC, name, None) for name in topics]
    try:
        answer = (await link.send(DescribeConfigsRequest(asked, False))).to_object()
    except (KafkaError, NotImplementedError):
        return {}
    return {
        one["resource_name"]: {
            entry["config_names"]: entry["config_value"] for entry in one["config_entries"]
        }
        for one in answer["resources"]
        if not one["error_code"]
    }


async def _with_group(
    facts: KafkaFacts, connection: Connection, reads: Sequence[str], group: str
) -> KafkaFacts:
    """Only a fetch tells whether a group may read; it is not asked of topics that are not there."""
    there = all(facts.topics[name].error is None for name in reads)
    if not (reads and there) or facts.unreachable:
        return facts
    try:
        await check_rights(connection, reads, group)
    except KafkaRefusalError as error:
        return replace(facts, refused=str(error))
    return facts


async def _why_not(servers: Sequence[tuple[str, int]], connection: Connection) -> Unseen:
    said = await asyncio.gather(*(why_away(host, port) for host, port in servers))
    if any(one.startswith(SPEAKS) for one in said):
        refused = await why_refused(connection)
        if refused:
            return Unseen(Why.REFUSED, refused)
    return Unseen(Why.AWAY, "; ".join(said))


def _split(server: str) -> tuple[str, int]:
    host, _, port = server.strip().rpartition(":")
    return host.strip("[]"), int(port)
