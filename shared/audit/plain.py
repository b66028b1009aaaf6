"""What of an object may be written into the audit log: never a secret, never what people said."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic_core import to_jsonable_python

TEXTS: Final = frozenset(
    {
        "comment",
        "correction",
        "description",
        "error_message",
        "hypothesis",
        "input",
        "input_text",
        "metadata",
        "note",
        "output",
        "output_text",
        "reason",
    }
)
"""Members whose text may be a person's: a digest stands for it, and erasure has no work here."""
PEOPLE: Final = frozenset({"reviewer", "user", "user_id"})
SECRETS: Final = frozenset({"password", "secret", "secret_hash", "token"})
ADDRESSES: Final = frozenset({"url"})
"""Those of some receivers are secrets as a whole."""
HIDDEN: Final = "…"
LONGEST_TEXT: Final = 256
MOST_BYTES: Final = 16 * 1024

_AS_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
Digest = Callable[[str], str]


def told(content: Any, digest: Digest, pseudonym: Digest) -> str | None:
    """An object as canonical JSON in ASCII; `None` for no object."""
    if content is None:
        return None
    plain = _plain(to_jsonable_python(content), digest, pseudonym)
    text = canonical(plain)
    return text if len(text) <= MOST_BYTES else canonical({"digest": digest(text)})


def canonical(content: Any) -> str:
    """The only way to write an object: sorted names, no spaces, ASCII, no NaN."""
    return _AS_JSON(content)


def _plain(content: Any, digest: Digest, pseudonym: Digest) -> Any:
    if isinstance(content, Mapping):
        return {
            str(name): _member(str(name), value, digest, pseudonym)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_plain(one, digest, pseudonym) for one in content]
    if isinstance(content, str) and len(content) > LONGEST_TEXT:
        return digest(content)
    return content


def _member(name: str, value: Any, digest: Digest, pseudonym: Digest) -> Any:
    if value is None or value == "":
        return value
    if name in SECRETS:
        return HIDDEN
    if name in ADDRESSES:
        return f"{_host(str(value))}/{digest(str(value))}"
    if name in PEOPLE and isinstance(value, str):
        return pseudonym(value)
    if name in TEXTS:
        return digest(value if isinstance(value, str) else canonical(value))
    return _plain(value, digest, pseudonym)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or HIDDEN
    except ValueError:
        return HIDDEN
