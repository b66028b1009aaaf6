"""What was asked and answered, where the installation wants texts of spans at all.

Instrumentations put it into attributes of the span, into attributes with an index, or into events
of the span; the first place that holds any is used.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic_core import from_json, to_json

from services.gateway.domain.otlp import names
from services.gateway.domain.otlp.attributes import Attributes, events, values
from shared.events.base import MAX_TEXT_BYTES
from shared.training.messages import messages

Keep = Callable[[str], str]
"""What is done to a text before it is stored."""
Chat = list[dict[str, Any]]

MOST_READ = 2 * MAX_TEXT_BYTES  # the structure around a text may be as long again
SYSTEM = ("gen_ai.system_instructions",)
CHOICE = "gen_ai.choice"
ROLE_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")
INDEXED = re.compile(r"(\d{1,4})\.(?:message\.)?(role|content)")
PARTS = re.compile(r"(\d{1,4})\.message\.contents\.\d{1,4}\.message_content\.text")
INPUTS, OUTPUTS = (
    ("gen_ai.prompt.", "llm.input_messages."),
    (
        "gen_ai.completion.",
        "llm.output_messages.",
    ),
)


def texts(span: Span, said: Attributes, keep: Keep) -> dict[str, str | None]:
    """Input and output as events have them: a chat as JSON, a lone message as its text."""
    told = [(one.name, Attributes(values(one.attributes))) for one in events(span)]
    all_said = [said, *(attributes for _, attributes in told)]
    asked = said.any(("assay.input_text",)) or _first(all_said, names.INPUT[:1])
    asked = _with_system(asked, said) or _indexed(said, INPUTS) or _told(told)
    answered = said.any(("assay.output_text",)) or _first(all_said, names.OUTPUT[:1])
    answered = answered or _indexed(said, OUTPUTS) or _chosen(told)
    return {
        "input_text": _rendered(asked or _first(all_said, names.INPUT[1:]), said, keep),
        "output_text": _rendered(answered or _first(all_said, names.OUTPUT[1:]), said, keep),
    }


def _first(places: Iterable[Attributes], wanted: tuple[str, ...]) -> Any:
    return next((found for one in places if (found := one.any(wanted))), None)


def _with_system(asked: Any, said: Attributes) -> Any:
    """The chat with what the system was told before it."""
    told = _structure(said.any(SYSTEM))
    chat = _structure(asked)
    if isinstance(told, list) and isinstance(chat, list):
        return [{"role": "system", "parts": told}, *chat]
    return asked


def _structure(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > MOST_READ:
        return value
    try:
        return from_json(value)
    except ValueError:
        return value


def _indexed(said: Attributes, starts: Iterable[str]) -> Chat | None:
    """Messages in attributes such as `llm.input_messages.0.message.content`."""
    found: dict[int, dict[str, Any]] = {}
    for start in starts:
        for rest, value in said.starting(start):
            if match := INDEXED.fullmatch(rest):
                found.setdefault(int(match[1]), {})[match[2]] = value
            elif match := PARTS.fullmatch(rest):
                found.setdefault(int(match[1]), {}).setdefault("content", []).append(value)
    chat = [found[place] for place in sorted(found)]
    return [one for one in chat if one.get("content")] or None


def _told(events: Iterable[tuple[str, Attributes]]) -> Chat | None:
    """Messages in events of the span, as they were before the conventions' 1.37."""
    chat: Chat = []
    for name, said in events:
        match = ROLE_EVENT.fullmatch(name)
        content = said.any(("content",))
        if match and content:
            chat.append({"role": match[1], "content": content})
    return chat or None


def _chosen(events: Iterable[tuple[str, Attributes]]) -> Any:
    """The first choice that a model gave, in an event of the span."""
    for name, said in events:
        if name == CHOICE:
            message = _structure(said.any(("message", "content")))
            content = message.get("content") if isinstance(message, dict) else message
            if content:
                return content
    return None


def _rendered(value: Any, said: Attributes, keep: Keep) -> str | None:
    """A text that fits an event, or none."""
    if not value:
        return None
    text = value if isinstance(value, str) else to_json(value, inf_nan_mode="null").decode()
    if len(text) <= MOST_READ:
        read = messages(text)
        if len(read) == 1:
            text = read[0]["content"]
        text = keep(text)
    if len(text.encode()) > MAX_TEXT_BYTES:
        said.notes.append(f"a text is left out: longer than {MAX_TEXT_BYTES} bytes")
        return None
    return text or None
