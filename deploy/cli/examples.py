"""One example of each command: shown by `--help`, written into docs/cli.md, and run by tests."""

from collections.abc import Callable
from typing import Any

import typer

EXAMPLES = {
    "up": "assay up --data-dir ./data --env-file assay.env",
    "demo": "assay demo --exit --summary summary.json",
    "publish": "assay publish events.jsonl --rate 500",
    "doctor": "assay doctor --as ingest",
    "migrate": "assay migrate",
    "reconcile": "assay reconcile --hours 6 --check",
    "service": "assay service gateway",
    "topics create": "assay topics create",
    "topics acls": "assay topics acls --principals 'User:CN={}'",
    "keys create": "assay keys create --role agent --tenant acme --name 'support agent'",
    "keys list": "assay keys list --tenant acme",
    "keys revoke": "assay keys revoke assay_abcdefghijkl",
    "keys rotate": "assay keys rotate assay_abcdefghijkl --overlap-s 3600",
    "keys tenant-proof": "assay keys tenant-proof --tenant acme",
    "tenants content-free": "assay tenants content-free acme",
    "secrets make": "assay secrets make ./secrets --postgres db:5432/assay --redis cache:6379/0",
    "roles login": "assay roles login ./secrets",
    "retention run": "assay retention run --dry-run",
    "rebuild metrics": "assay rebuild metrics",
    "rebuild abtest": "assay rebuild abtest",
    "rebuild training": "assay rebuild training --compare 1 2",
    "fences list": "assay fences list --group ingest",
    "fences move": "assay fences move ai.operations.v1 3 --to start --yes",
    "audit export": "assay audit export acme.jsonl --tenant acme",
    "audit verify": "assay audit verify acme.jsonl --anchors anchors.jsonl",
    "dlq list": "assay dlq list --reason unknown_tenant --limit 20",
    "dlq show": "assay dlq show ai.operations.v1:3:1042",
    "dlq redrive": "assay dlq redrive --reason unknown_tenant",
}


def with_examples(app: typer.Typer, *before: str) -> None:
    """Give each command its example, as the last line of its help."""
    for command in app.registered_commands:
        path = " ".join((*before, command.name or _name_of(command.callback)))
        if path in EXAMPLES:
            command.epilog = f"Example: {EXAMPLES[path]}"
    for group in app.registered_groups:
        if group.typer_instance is not None:
            with_examples(group.typer_instance, *before, str(group.name))


def _name_of(callback: Callable[..., Any] | None) -> str:
    return callback.__name__.replace("_", "-") if callback else ""
