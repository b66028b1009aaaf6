"""The rule editor as a page: its fields, what they hold, and what is wrong at each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from fastapi import Request
from fastapi.responses import Response

from services.gateway.domain.dashboard.rule_fields import (
    FIELDS,
    FIXED,
    KINDS,
    kinds_of_fields,
    place_of,
)
from services.gateway.domain.dashboard.rule_form import TOLD, Form, form_of, pairs
from services.gateway.domain.problems import Problem
from services.gateway.routes.access import principal
from services.gateway.routes.dashboard.showing import show
from services.gateway.service.notifying import MOST_CHANNELS
from shared.alerts.catalogue import METRICS
from shared.alerts.rule import MAX_LABELS, GroupBy
from shared.keys import WINDOWS

CHOICES: Final[Mapping[str, Any]] = {
    "metrics": [(name, name) for name in sorted(METRICS)],
    "operators": [(one, one) for one in (">", ">=", "<", "<=")],
    "windows": [(name, name) for name in WINDOWS],
    "group_names": get_args(GroupBy),
    "fields": FIELDS,
    "fixed": FIXED,
    "all_kinds": KINDS,
    "told": TOLD,
}


class Editor:
    """A rule that is kept, if it is, and the texts of its form."""

    def __init__(self, rule: Mapping[str, Any] | None, form: Form | None = None) -> None:
        self.rule = rule
        self.form = form_of(rule) if form is None else form
        self.kinds = kinds_of_fields(rule)


def content(shown: Editor, channels: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the editor's template needs; `channels` are ids with names."""
    labels = pairs(shown.form)
    spare = [("", "")] if len(labels) < MAX_LABELS else []
    return {
        **CHOICES,
        "rule": shown.rule,
        "form": shown.form,
        "kinds": shown.kinds,
        "channels": _listed(shown.form["channels"], dict(channels)),
        "labels": labels + spare,
    }


def _listed(marked: Sequence[str], known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Channels with those of the rule first, as it has them: one may be gone since."""
    own = [(one, known.get(one, f"{one}, which is gone")) for one in marked if one]
    return own + [(one, label) for one, label in known.items() if one not in marked]


async def editor(
    request: Request,
    shown: Editor,
    *,
    said: Mapping[str, str] | None = None,
    found: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page: `said` is what is wrong by field, `found` what the rule would do."""
    store, tenant_id = request.app.state.notifications, principal(request).tenant_id
    rows = await store.channels(tenant_id, None, MOST_CHANNELS)
    channels = [(str(row["channel_id"]), f"{row['name']} ({row['type']})") for row in rows]
    rest = {"said": said or {}, "found": found, **(found or {})}
    page = show(request, "rule.html", **content(shown, channels), **rest)
    page.status_code = status
    return page


def told_at(problem: Problem) -> dict[str, str]:
    """What is wrong by field; what is about none stands under an empty name."""
    said: dict[str, str] = {}
    for error in problem.errors:
        said.setdefault(place_of(error) or "", error["message"])
    return said
