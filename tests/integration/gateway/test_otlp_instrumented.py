"""Unmodified OpenTelemetry: stock client, instrumentation and exporter, and our answers."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.gateway import instrumented
from tests.integration.gateway.callers import Clients
from tests.support.openai_stub import ALWAYS_REFUSED, ANSWERED_BY, EMBEDDED, USAGE, openai_stub
from tests.support.waiting import eventually

EVERY = [
    ("old", "protobuf", "none"),
    ("old", "json", "gzip"),
    ("new", "protobuf", "gzip"),
    ("new", "json", "none"),
    ("openinference", "protobuf", "gzip"),
    ("openinference", "json", "gzip"),
]
CALLS = 4


async def run(clients: Clients, release: str, instrumentation: str, exporter: str) -> str:
    """Run the application to its end; answers what it logged."""
    bearer = quote(clients.agent.headers["authorization"])
    environment = os.environ | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": str(clients.agent.base_url).rstrip("/"),
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={bearer}",
        "OTEL_SERVICE_NAME": "calculator",
        "OTEL_RESOURCE_ATTRIBUTES": f"service.version={release},deployment.environment.name=lab",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"
        if instrumentation == "old"
        else "span_only",
    }
    environment["OTEL_EXPORTER_OTLP_COMPRESSION"] = release.rpartition("-")[2]
    async with openai_stub() as url:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(instrumented.__file__)), instrumentation, exporter, url),
            env=environment,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await program.communicate()
    if program.returncode == instrumented.MISSING:
        pytest.skip(f"not installed: {said.decode().strip()}")
    assert program.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.parametrize(("instrumentation", "exporter", "compression"), EVERY)
async def test_calls_of_a_model_are_operations(
    clients: Clients, instrumentation: str, exporter: str, compression: str
) -> None:
    release = f"{instrumentation}-{exporter}-{compression}"
    logged = await run(clients, release, instrumentation, exporter)
    assert "Failed to export" not in logged

    async def stored() -> Any:
        found = (await clients.viewer.get(f"/ai/operations?release={release}")).json()["items"]
        return found if len(found) == CALLS else None

    rows = await eventually(stored, why="all calls are stored")
    by_model = {row["model_id"]: row for row in rows}
    assert by_model.keys() == {ANSWERED_BY, ALWAYS_REFUSED, instrumented.EMBEDDING}
    for row in rows:
        assert (row["provider"], row["agent_id"]) == ("openai", "calculator")
        assert (row["environment"], row["input_text"]) == ("lab", None)
        assert row["operation_id"].startswith(row["trace_id"])
        assert row["response_time_ms"] > 0
    chats = [row for row in rows if row["model_id"] == ANSWERED_BY]
    assert len(chats) == 2
    for row in chats:
        used = (row["operation_type"], row["input_tokens"], row["output_tokens"], row["success"])
        assert used == ("chat", USAGE["prompt_tokens"], USAGE["completion_tokens"], True)
        assert row["cost_usd"] is not None
    embedded = by_model[instrumented.EMBEDDING]
    assert embedded["operation_type"] == "embeddings"
    assert embedded["input_tokens"] == EMBEDDED["prompt_tokens"]
    busy = by_model[ALWAYS_REFUSED]
    assert (busy["success"], busy["input_tokens"]) == (False, None)
    assert busy["error_type"].rpartition(".")[2] in {"RateLimitError", "429"}
    assert "slow down" in busy["error_message"]
