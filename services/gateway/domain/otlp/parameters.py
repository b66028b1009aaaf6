"""What else a span says of a call, kept in metadata under its own names."""

from typing import Any

from pydantic_core import from_json

from services.gateway.domain.otlp import names
from services.gateway.domain.otlp.attributes import Attributes
from services.gateway.domain.otlp.kinds import MOST_LABEL
from shared.events.base import MAX_METADATA_KEYS

MOST_TEXT = 200
MOST_KEY = 64
OWN_METADATA = "assay.metadata."
INVOCATION = ("llm.invocation_parameters",)
INVOKED_WITH = ("model", "temperature", "top_p", "top_k", "max_tokens", "seed")
Value = str | int | float | bool


def parameters(said: Attributes) -> dict[str, Value] | None:
    """At most as many as an event may hold: the sender's own go first."""
    found: dict[str, Value] = {}
    for name, value in said.starting(OWN_METADATA):
        _put(found, name, value)
    for name in names.PARAMETERS:
        _put(found, name, said.any((name,)))
    for name, value in _invocation(said).items():
        _put(found, name, value)
    return found or None


def invoked_model(said: Attributes) -> str | None:
    """The model that was asked for, where OpenInference says it only among the parameters."""
    model = _invoked(said).get("model")
    return model if isinstance(model, str) and 0 < len(model) <= MOST_LABEL else None


def _invocation(said: Attributes) -> dict[str, Any]:
    """OpenInference's parameters of the call under the names of the conventions."""
    known = _invoked(said)
    return {f"gen_ai.request.{name}": known.get(name) for name in INVOKED_WITH}


def _invoked(said: Attributes) -> dict[str, Any]:
    """A JSON text."""
    given = said.any(INVOCATION)
    try:
        read = from_json(given) if isinstance(given, str) else None
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _put(found: dict[str, Value], name: str, value: Any) -> None:
    if isinstance(value, list):
        value = ",".join(str(one) for one in value[:MAX_METADATA_KEYS])
    if isinstance(value, str):
        value = value[:MOST_TEXT]
    is_kept = name not in found and 0 < len(name) <= MOST_KEY and isinstance(value, Value)
    if is_kept and len(found) < MAX_METADATA_KEYS:
        found[name] = value
