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

from deploy.cli.options import bootstrap_servers, idempotence, topic_prefix
from deploy.cli.say import AsJson, answer, err, explained
from shared.topics import MAX_RECORD_BYTES, Topic, topic_name

AT_ONCE = 1_000


def publish(
    file: Annotated[str, typer.Argument(help="A file of JSON lines, or - for standard input.")],
    topic: Annotated[str | None, typer.Option(help="Default: the operations topic.")] = None,
    rate: Annotated[float, typer.Option(min=0, help="Events per second; 0 = all at once.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Publish events from a file, one JSON object a line, exactly as they are."""
    name = topic or topic_name(Topic.OPERATIONS, topic_prefix())
    with explained("Not everything was published.", "check the file and the broker; run it again"):
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        values = [line.strip() for line in content.splitlines() if line.strip()]
        sent = asyncio.run(_publish(name, values, rate, quiet=as_json))
    answer({"topic": name, "published": sent}, as_json=as_json, text=f"{sent} events to {name}")


async def _publish(topic: str, values: list[bytes], rate: float, *, quiet: bool) -> int:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers(),
        acks="all",
        enable_idempotence=idempotence(),
        compression_type="lz4",
        linger_ms=5,
        max_request_size=MAX_RECORD_BYTES,
    )
    started, sent = time.monotonic(), 0
    async with producer:
        with Progress(console=err, disable=quiet) as progress:
            task = progress.add_task(f"to {topic}", total=len(values))
            for chunk in _chunks(values, max(1, int(rate / 10)) if rate else AT_ONCE):
                acks = [await producer.send(topic, value, key=_key(value)) for value in chunk]
                await asyncio.gather(*acks)
                sent += len(chunk)
                progress.update(task, completed=sent)
                if rate:
                    await asyncio.sleep(max(0.0, started + sent / rate - time.monotonic()))
    return sent


def _chunks(values: list[bytes], size: int) -> Iterable[list[bytes]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _key(value: bytes) -> bytes | None:
    """The operation's id, where one can be read: the key of operations and feedback."""
    try:
        key = from_json(value)["operation_id"]
    except (ValueError, TypeError, KeyError):
        return None
    return key.encode() if isinstance(key, str) else None
