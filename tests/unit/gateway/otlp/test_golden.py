"""Requests as instrumentations send them, and the events that they are: golden/*.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.domain.otlp.decoding import Encoding
from tests.unit.gateway.otlp.reading import as_it_is, in_protobuf, judged, shown

GOLDEN = sorted(Path(__file__).parent.glob("golden/*.json"))
TEXTS = ("input_text", "output_text")
TOKENS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens", "cost_usd")


def golden(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    said = json.loads(path.read_text())
    return said.pop("request"), said


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_request_becomes_its_events_in_either_encoding(path: Path, encoding: Encoding) -> None:
    request, expected = golden(path)
    is_json = encoding is Encoding.JSON
    body = json.dumps(request).encode() if is_json else in_protobuf(request)
    found = judged(body, encoding, logs="resourceLogs" in request, keep=as_it_is)
    assert shown(found) == expected


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_texts_are_dropped_unless_they_are_wanted(path: Path) -> None:
    request, expected = golden(path)
    found = shown(judged(json.dumps(request).encode(), logs="resourceLogs" in request))
    assert found["operations"] == [
        {name: value for name, value in one.items() if name not in TEXTS}
        for one in expected["operations"]
    ]


def test_tokens_count_on_spans_that_call_a_model_only() -> None:
    for path in GOLDEN:
        for one in golden(path)[1]["operations"]:
            if one["operation_type"] not in {"chat", "embeddings"}:
                assert not one.keys() & set(TOKENS)


def test_the_same_request_again_is_the_same_bytes() -> None:
    for path in GOLDEN:
        request, _ = golden(path)
        body, logs = json.dumps(request).encode(), "resourceLogs" in request
        assert judged(body, logs=logs) == judged(body, logs=logs)
