"""Generate the contract's files from the models: JSON Schemas and AsyncAPI.

`python -m deploy.schemas` writes them, `--check` ends with 1 when one differs.
"""

import json
import sys
from pathlib import Path
from typing import Any

from shared.events.base import Event
from shared.proof import HEADER as PROOF
from shared.topics import DEFAULT_PREFIX, REGISTER, TopicSpec, dead_letter_name, topic_name

DOCS = Path(__file__).parent.parent / "docs"
CE_HEADERS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject")
DEAD_LETTER_HEADERS = ("reason", "detail", "first_seen_at")
Document = dict[str, Any]


def schema_name(event: type[Event]) -> str:
    """File name of an event's schema without its ending."""
    return f"{event.__name__.removesuffix('Event').lower()}.v1"


def json_schema(event: type[Event]) -> Document:
    """JSON Schema of what producers may send: an explicit null is the same as absent."""
    schema = event.model_json_schema()
    required = set(schema["required"])
    for name, field in schema["properties"].items():
        if name not in required and {"type": "null"} not in field.get("anyOf", ()):
            outer = ("title", "description", "default")
            kept = {key: field.pop(key) for key in list(field) if key in outer}
            schema["properties"][name] = {"anyOf": [dict(field), {"type": "null"}], **kept}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/schemas/{schema_name(event)}.json",
    }
    return {**head, **schema}


def asyncapi() -> Document:
    """AsyncAPI of all topics with the default prefix."""
    channels: Document = {}
    operations: Document = {}
    messages: Document = {}
    for spec in REGISTER.values():
        name = topic_name(spec.topic)
        message = spec.event.__name__
        messages[message] = _message(spec)
        messages[f"{message}DeadLetter"] = _dead_letter(spec)
        for address, kind in ((name, message), (dead_letter_name(name), f"{message}DeadLetter")):
            channels[address] = {
                "address": address,
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
            }
            operations[f"receive:{address}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{address.replace('/', '~1')}"},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Assay topics",
            "version": "0.1.0",
            "description": f"Names with the default prefix {DEFAULT_PREFIX!r}. Values only grow.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def files() -> dict[Path, str]:
    """Every generated file and its content."""
    documents: dict[Path, Document] = {DOCS / "asyncapi.json": asyncapi()}
    for spec in REGISTER.values():
        path = DOCS / "schemas" / f"{schema_name(spec.event)}.json"
        documents[path] = json_schema(spec.event)
    return {path: json.dumps(content, indent=2) + "\n" for path, content in documents.items()}


def _message(spec: TopicSpec) -> Document:
    names = (*CE_HEADERS, "traceparent", "tracestate", PROOF)
    headers = {name: {"type": "string"} for name in names}
    optional = f"All optional; {PROOF} where only proven records are taken is not."
    return {
        "name": spec.event.__name__,
        "summary": spec.summary,
        "headers": {"type": "object", "description": optional, "properties": headers},
        "payload": {"$ref": f"schemas/{schema_name(spec.event)}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": spec.key}}},
    }


def _dead_letter(spec: TopicSpec) -> Document:
    headers = {name: {"type": "string"} for name in DEAD_LETTER_HEADERS}
    key = {"type": "string", "description": "topic:partition:offset of the original record"}
    return {
        "name": f"{spec.event.__name__}DeadLetter",
        "summary": "A record that could not become an event: its original bytes.",
        "headers": {"type": "object", "properties": headers},
        "payload": {"description": "The original value, whatever it was."},
        "bindings": {"kafka": {"key": key}},
    }


def main() -> None:
    """Write the files, or with --check compare them."""
    different = [
        path
        for path, content in files().items()
        if not path.exists() or path.read_text() != content
    ]
    if "--check" in sys.argv:
        if different:
            names = ", ".join(path.name for path in different)
            sys.exit(f"{names}: not what the models say; run python -m deploy.schemas")
        return
    for path in different:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files()[path])


if __name__ == "__main__":
    main()
