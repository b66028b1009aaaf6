"""Events from a file to a topic."""

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer
from pydantic_core import from_json
from rich.progress import Progress

from deploy.cli.options import kafka, signer, topic_prefix
from deploy.cli.say import AsJson, answer, err, explained
from shared.cloud_events import proven
from shared.kafka_errors import refusals_explained
from shared.proof import Proofs
from shared.topics import MAX_RECORD_BYTES, Topic, topic_name

AT_ONCE = 1_000


def publish(
    file: Annotated[str, typer.Argument(help="A file of JSON lines, or - for standard input.")],
    topic: Annotated[str | None, typer.Option(help="Default: the operations topic.")] = None,
    rate: Annotated[float, typer.Option(min=0, help="Events per second; 0 = all at once.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Publish events from a file, one JSON object a line, exactly as they are.

    With ASSAY_EVENT_MASTER_KEY each is signed for the tenant that it names; without, none is, and
    where only proven records are taken all become dead letters.
    """
    name = topic or topic_name(Topic.OPERATIONS, topic_prefix())
    with explained("Not everything was published.", "check the file and the broker; run it again"):
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        values = [line.strip() for line in content.splitlines() if line.strip()]
        sent, signed = asyncio.run(_publish(name, values, rate, quiet=as_json))
    told = {"topic": name, "published": sent, "signed": signed}
    answer(told, as_json=as_json, text=f"{sent} events to {name}, {signed} of them signed")


async def _publish(topic: str, values: list[bytes], rate: float, *, quiet: bool) -> tuple[int, int]:
    """Answers how many were sent, and how many of them prove their tenant."""
    settings = kafka()
    producer = AIOKafkaProducer(
        **settings.connection,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        compression_type="lz4",
        linger_ms=5,
        max_request_size=MAX_RECORD_BYTES,
    )
    started, sent, signed, proofs = time.monotonic(), 0, 0, signer()
    async with refusals_explained(settings.connection), producer:
        with Progress(console=err, disable=quiet) as progress:
            task = progress.add_task(f"to {topic}", total=len(values))
            for chunk in _chunks(values, max(1, int(rate / 10)) if rate else AT_ONCE):
                records = [record_of(topic, value, proofs) for value in chunk]
                acks = [
                    await producer.send(topic, value, key=key, headers=headers)
                    for value, (key, headers) in zip(chunk, records, strict=True)
                ]
                await asyncio.gather(*acks)
                sent += len(chunk)
                signed += sum(bool(headers) for _, headers in records)
                progress.update(task, completed=sent)
                if rate:
                    await asyncio.sleep(max(0.0, started + sent / rate - time.monotonic()))
    return sent, signed


def _chunks(values: list[bytes], size: int) -> Iterable[list[bytes]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def record_of(
    topic: str, value: bytes, proofs: Proofs | None
) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    """The key and headers of a line: its operation's id and its proof, where they can be made."""
    try:
        said = from_json(value)
    except ValueError:
        said = None
    members = said if isinstance(said, dict) else {}
    key, tenant = members.get("operation_id"), members.get("tenant_id")
    headers = proven(proofs, topic, tenant, value) if isinstance(tenant, str) else []
    return key.encode() if isinstance(key, str) else None, headers
