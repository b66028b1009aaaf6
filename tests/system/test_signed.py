"""`assay up` where only proven records are taken: a stranger at the broker moves no number."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from assay_sdk import Assay
from assay_sdk.proof import ProofKey
from tests.system.running import Up, end, start, until

OPERATIONS, FEEDBACK = "ai.operations.v1", "ai.feedback.v1"
FORGED = ProofKey("1." + "A" * 43)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = start(tmp_path_factory.mktemp("signed"), ASSAY_EVENT_TRUST="signed")
    yield running
    assert end(running, signal.SIGTERM) == 0


def event(tenant: str, **changes: Any) -> bytes:
    content = {
        "event_id": str(uuid4()),
        "tenant_id": tenant,
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "operation_id": f"op-{uuid4()}",
        "model_id": "proven",
        "success": True,
        "response_time_ms": 5,
        "rating": 1,  # so that it would be feedback too
    }
    return json.dumps(content | changes).encode()


async def send(up: Up, *records: tuple[str, bytes, tuple[str, bytes] | None]) -> None:
    """Topic, value and proof, as whoever may write to the topics could send them."""
    servers = up.env["ASSAY_KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
        for topic, value, proof in records:
            await producer.send_and_wait(topic, value, headers=[proof] if proof else [])


def sample(up: Up) -> int:
    status, answer = up.request("/ai/metrics/proven")
    return answer["sample"] if status == 200 else 0


def reasons(up: Up) -> list[str]:
    return sorted(letter["reason"] for letter in up.assay("dlq", "list"))


def test_what_proves_every_tenant_is_in_a_file_of_ones_own_and_not_printed(up: Up) -> None:
    assert "ASSAY_EVENT_MASTER_KEY" not in up.env
    file = Path(up.env["ASSAY_EVENT_MASTER_KEY_FILE"])
    assert file.stat().st_mode & 0o077 == 0
    assert file.read_text().strip() not in str(up.env)


async def test_who_has_the_tenants_key_is_heard(up: Up) -> None:
    servers, tenant = up.env["ASSAY_KAFKA_BOOTSTRAP_SERVERS"], up.env["ASSAY_TENANT"]
    key = up.assay("keys", "tenant-proof", "--tenant", tenant)["key"]
    assert key == up.env["ASSAY_TENANT_PROOF_KEY"]
    assay = Assay.kafka(servers, tenant_id=tenant, idempotence=False, proof_key=key)
    with assay.operation("proven") as operation:
        pass
    operation.feedback(rating=5)
    assert (await assay.aflush(20)) == (2, 0, 0)
    assay.close()
    status, answer = up.request(
        "/ai/operations/log",
        {"operation_id": "http", "model_id": "proven", "success": True, "response_time_ms": 1},
    )
    assert status == 202, answer
    told = up.assay("publish", "-", text=event(tenant).decode())
    assert (told["published"], told["signed"]) == (1, 1)
    until(lambda: sample(up) == 3, "those of the client, the gateway and the program count")
    until(lambda: up.request("/ai/operations/http")[0] == 200, "and are stored")
    assert reasons(up) == []


async def test_nobody_else_is(up: Up) -> None:
    before, tenant = sample(up), up.env["ASSAY_TENANT"]
    ours = ProofKey(up.env["ASSAY_TENANT_PROOF_KEY"])
    theirs = ProofKey(up.assay("keys", "tenant-proof", "--tenant", "globex")["key"])
    values = [event(tenant) for _ in range(5)]
    await send(
        up,
        (OPERATIONS, values[0], None),
        (OPERATIONS, values[1], FORGED.header(OPERATIONS, tenant, values[1])),
        (OPERATIONS, values[2], theirs.header(OPERATIONS, tenant, values[2])),
        (OPERATIONS, values[3], ours.header(OPERATIONS, tenant, values[4])),
        (FEEDBACK, values[4], ours.header(OPERATIONS, tenant, values[4])),
    )
    until(lambda: reasons(up) == ["tenant_mismatch"] * 5, "each is a dead letter")
    good = event(tenant)
    await send(up, (OPERATIONS, good, ours.header(OPERATIONS, tenant, good)))
    until(lambda: sample(up) == before + 1, "what is proven still counts")
    assert up.request("/ai/metrics/proven")[1]["sample"] == before + 1
    # Sent again as they are, they are as little proven as before.
    assert up.assay("dlq", "redrive", "--reason", "tenant_mismatch") == {"redriven": 5}
    until(lambda: reasons(up) == ["tenant_mismatch"] * 10, "they are dead letters again")
    assert sample(up) == before + 1
    stored = up.request("/ai/operations?model_id=proven&limit=100")[1]["items"]
    assert len(stored) == before + 1


async def test_a_dead_letter_keeps_its_proof(up: Up) -> None:
    key = ProofKey(up.assay("keys", "tenant-proof", "--tenant", "late")["key"])
    value = event("late", operation_id="late-1")
    await send(up, (OPERATIONS, value, key.header(OPERATIONS, "late", value)))
    until(lambda: "unknown_tenant" in reasons(up), "nobody knows the tenant yet")
    made = up.assay("keys", "create", "--role", "viewer", "--tenant", "late")
    assert up.assay("dlq", "redrive", "--reason", "unknown_tenant") == {"redriven": 1}
    until(lambda: up.request("/ai/operations/late-1", key=made["key"])[0] == 200, "it is stored")
