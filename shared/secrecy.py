"""What no log may hold: credentials, by the name of their field or by how they look."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
NAMES = re.compile(
    r"(?:^|[_-])(?:password|passwd|secret|token|authorization|cookie|credentials?|dsn|proof)$"
    r"|(?:^|[_-])(?:api|secret|master|private|audit|cursor)[_-]?keys?$"
    r"|^(?:body|payload|content|input_text|output_text|comment|correction|prompt)$",
    re.IGNORECASE,
)
"""Fields of which no value is shown, texts of people among them."""
LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(assay_[A-Za-z0-9]{6,16})_[A-Za-z0-9_-]{16,}"), rf"\1_{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(://[^\s/:@'\"]*):[^\s/'\"]*@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{8,}"), HIDDEN),
    # Messages of asyncpg, Postgres and pydantic quote the value that they complain of.
    (re.compile(r"(invalid input for query argument \$\d+: ).*", re.DOTALL), rf"\1{HIDDEN}"),
    (re.compile(r"((?:DETAIL|CONTEXT):\s*)[^\n]*"), rf"\1{HIDDEN}"),
    (re.compile(r"(input_value=).*?(?=, input_type=|$)", re.DOTALL), rf"\1{HIDDEN}"),
    (re.compile(r"(hooks\.slack\.com/)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)(?<![a-z_-])((?:[a-z_-]*(?:password|passwd|secret|token|api[_-]?key|authorization|cookie))"
            r"['\"]?\s*[=:]\s*(?:b?['\"])?)[^\s'\",;&)}\]]+"
        ),
        rf"\1{HIDDEN}",
    ),
)
MOST_LEVELS = 6


def hidden(value: Any, levels: int = MOST_LEVELS) -> Any:
    """A value without credentials; containers are looked through."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping) and levels:
        return {name: hidden_field(str(name), one, levels - 1) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and levels:
        return [hidden(one, levels - 1) for one in value]
    if isinstance(value, bytes):
        return hidden_text(value.decode("utf-8", "replace"))
    return hidden_text(str(value)) if levels else HIDDEN


def hidden_field(name: str, value: Any, levels: int = MOST_LEVELS) -> Any:
    """The value of a field, unless its name says that nobody may read it."""
    return HIDDEN if NAMES.search(name) else hidden(value, levels)


def hidden_text(text: str) -> str:
    """A text without what looks like a credential."""
    for looks, instead in LOOKS:
        text = looks.sub(instead, text)
    return text
