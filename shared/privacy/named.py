"""The names that a dead letter bears, as far as bytes that are no event can be read."""

import json
import re
from collections.abc import Iterable
from datetime import datetime

from shared.privacy.marks import FILTERED, Fit, Marks

# Also in a text that is cut off, or of a wrong encoding: the name of a field, and its text.
_MEMBER = re.compile(
    r'"((?:[a-z_]|\\u00[0-9A-Fa-f]{2}){2,32})"\s*:\s*"((?:[^"\\]|\\.)*)"', re.DOTALL
)
_UNIT = "unit_id"
MOST_LENGTH = 1_024


def members_of(value: bytes | None) -> dict[str, list[str]]:
    """Texts by field, wherever they stand in the record; of one field there may be several."""
    found: dict[str, list[str]] = {}
    for name, text in _MEMBER.findall((value or b"").decode(errors="replace")):
        if len(text) <= MOST_LENGTH:
            found.setdefault(_unescaped(name), []).append(_unescaped(text))
    return found


def fit_of(
    marks: Marks, tenant_id: str | None, came_at: datetime, value: bytes | None
) -> Fit | None:
    """The mark that fits a dead letter; one without a readable time occurred when it came."""
    members = members_of(value)
    tenants = [tenant_id] if tenant_id is not None else members.get("tenant_id", [])
    at = min([came_at, *_instants(members.get("occurred_at", []))])
    for tenant in tenants:
        if tenant not in marks:
            continue
        for said in _said(members):
            fit = marks.fit(tenant, at, marks.known_by(tenant, said))
            if fit is not None:
                return fit
    return None


def _said(members: dict[str, list[str]]) -> Iterable[dict[str, str]]:
    """What the record may have meant: the first of each field, and each other one instead."""
    first = {field: members[field][0] for field in FILTERED if field in members}
    if _UNIT in members:
        first |= {"user_id": members[_UNIT][0], "session_id": members[_UNIT][0]}
    yield dict(first)
    for field in FILTERED:
        for other in members.get(field, [])[1:]:
            yield first | {field: other}


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _instants(texts: Iterable[str]) -> Iterable[datetime]:
    for text in texts:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            continue
        if at.tzinfo is not None:
            yield at
