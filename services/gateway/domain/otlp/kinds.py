"""Whether a span is a GenAI operation, and of which type."""

from services.gateway.domain.otlp.attributes import Attributes
from services.gateway.domain.otlp.names import IS_GENAI, KIND, KINDS, OTHERS_KINDS, REPEATS
from shared.events.operation import OperationEvent

MOST_LABEL = 128
DEFAULT: str = OperationEvent.model_fields["operation_type"].default


def operation_type(said: Attributes) -> str | None:
    """The type; `None` for a span that is no operation, as those of HTTP or of a database."""
    own = said.text(KIND, MOST_LABEL) if said.has(KIND) else None
    if own is not None:
        return own
    for name in OTHERS_KINDS:
        kind = said.text((name,), MOST_LABEL) if name in said.own else None
        if kind is not None and (known := KINDS.get(kind.strip('"').lower())):
            return known
    return DEFAULT if said.has(IS_GENAI) else None


def is_inference(kind: str) -> bool:
    """Whether its tokens are its own; those of others repeat what spans within have used."""
    return kind not in REPEATS and not kind.endswith(("_agent", "_workflow", "_memory"))
