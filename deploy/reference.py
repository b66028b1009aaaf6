"""`docs/reference`: every HTTP path and every event's fields, made from OpenAPI and the schemas.

`python -m deploy.reference` writes the pages, `--check` ends with 1 when one differs.
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from deploy.schemas import json_schema, schema_name
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from shared.topics import REGISTER, TopicSpec, topic_name

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "Made by `python -m deploy.reference`; do not edit.\n"
LIMITS = {
    "maxLength": "at most {} characters",
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "pattern": "`{}`",
    "maxProperties": "at most {} keys",
}
Document = dict[str, Any]


def files() -> dict[Path, str]:
    """Every page and its text."""
    return {FOLDER / "http.md": http_page(), FOLDER / "events.md": events_page()}


def http_page() -> str:
    """Paths by what they are about, with the permission that each needs."""
    # Nothing is connected to; these are only there for the settings to be whole.
    settings = GatewaySettings.model_validate(
        {
            "secret_key": "0" * 64,
            "postgres_dsn": "postgresql://nobody@localhost/none",
            "redis_url": "redis://localhost",
            "kafka_bootstrap_servers": "localhost:9092",
        }
    )
    by_tag = defaultdict(list)
    for path, methods in create_app(settings).openapi()["paths"].items():
        for method, said in methods.items():
            by_tag[(said.get("tags") or ["other"])[0]].append(_endpoint(method, path, said))
    head = "# HTTP\n\n" + NOTE + "\nParameters, bodies and answers: `/docs` or `/openapi.json`"
    parts = [head + " of a running gateway.\n"]
    for tag, rows in sorted(by_tag.items()):
        parts.append(f"## {tag.capitalize()}\n\n| | permission | what |\n|---|---|---|")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def events_page() -> str:
    """Each topic with its event's fields."""
    head = "# Events\n\n" + NOTE + "\nWhat holds for all of them: [events.md](../events.md).\n"
    return "\n".join([head, *(_event(spec) for spec in REGISTER.values())])


def _endpoint(method: str, path: str, said: Document) -> str:
    cell = f"`{method.upper()} {path}`"
    return f"| {cell} | {said.get('x-permission', 'none')} | {_cell(said.get('summary', ''))} |"


def _event(spec: TopicSpec) -> str:
    schema = json_schema(spec.event)
    name = schema_name(spec.event)
    rows = [
        f"| `{field}` | {_kind(said)} | {'yes' if field in schema['required'] else ''} | "
        f"{_cell(said.get('description', ''))} |"
        for field, said in schema["properties"].items()
    ]
    lines = [
        f"## {spec.event.__name__}\n",
        f"{spec.summary} Topic `{topic_name(spec.topic)}`, key {spec.key}, "
        f"[schema](../schemas/{name}.json).\n",
        "| field | type | required | what |\n|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _kind(said: Document) -> str:
    options = [one for one in said.get("anyOf", [said]) if one.get("type") != "null"]
    return _cell(" or ".join(_plain(one) for one in options))


def _plain(said: Document) -> str:
    if "$ref" in said:
        return str(said["$ref"].rpartition("/")[2])
    if "enum" in said:
        return ", ".join(f"`{value}`" for value in said["enum"])
    kind = str(said.get("format") or said.get("type") or "any")
    limits = [text.format(said[name]) for name, text in LIMITS.items() if name in said]
    return ", ".join([kind, *limits])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the pages, or with --check compare them."""
    pages = files()
    different = [p for p, text in pages.items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv:
        if different:
            names = ", ".join(path.name for path in different)
            sys.exit(f"docs/reference/{names}: run python -m deploy.reference")
        return
    for path in different:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[path])


if __name__ == "__main__":
    main()
