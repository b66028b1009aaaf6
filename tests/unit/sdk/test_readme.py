"""Every example of the client's README, and of the project's that uses it, runs as it stands."""

import asyncio
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.openai_stub import openai_stub
from tests.unit.sdk.test_client import Sink

ROOT = Path(__file__).parents[3]
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples(page: str) -> list[str]:
    """Each with as many empty lines before it as it has on the page: errors name the line there."""
    text = (ROOT / page).read_text()
    return ["\n" * text.count("\n", 0, m.start(1)) + m[1] for m in EXAMPLE.finditer(text)]


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Sink:
    """Takes what goes to Kafka and to the gateway."""
    made = Sink()
    monkeypatch.setattr("assay_sdk.client.KafkaTransport", lambda *_: made)
    monkeypatch.setattr("assay_sdk.client.HttpTransport", lambda *_: made)
    return made


@pytest.fixture
def _frameworks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the two that the lock file does not hold."""
    names = ("litellm", "litellm.integrations", "litellm.integrations.custom_logger")
    for name in (*names, "langchain_core", "langchain_core.callbacks"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[names[-1]].CustomLogger = object
    sys.modules["langchain_core.callbacks"].BaseCallbackHandler = object


def run(page: str, known: dict[str, Any]) -> None:
    for example in examples(page):
        exec(compile(example, page, "exec"), known)


@pytest.mark.usefixtures("_frameworks")
async def test_the_clients_examples_run(
    sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    known: dict[str, Any] = {"__name__": "an_agent"}
    async with openai_stub() as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        await asyncio.to_thread(run, "sdk/README.md", known)
    assert (await known["assay"].aflush()).complete
    told = sink.events()
    assert len(told) == 7
    read = [event for event in told if event.get("input_tokens") == 21]
    assert [event["output_tokens"] for event in read] == [5, 5, 5]
    assert ["time_to_first_token_ms" in event for event in read] == [False, True, False]
    assert [event["output_text"] for event in told if "output_text" in event] == ["Four."]
    assert len(sink.events("feedback")) == 2
    assert await asyncio.to_thread(lambda: list(tmp_path.rglob("*.jsonl"))) == []


async def test_the_first_pages_example_runs(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_GATEWAY_URL", "http://localhost:8080")
    monkeypatch.setenv("ASSAY_API_KEY", "assay_none")
    monkeypatch.delenv("ASSAY_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    known: dict[str, Any] = {}
    await asyncio.to_thread(run, "README.md", known)
    assert (await known["assay"].aflush()).complete
    assert len(sink.events()) == len(sink.events("feedback")) == 1


def test_there_are_examples_to_run() -> None:
    assert len(examples("sdk/README.md")) >= 7
    assert len(examples("README.md")) == 1
