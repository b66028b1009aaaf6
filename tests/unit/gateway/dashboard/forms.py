"""Templates of forms, without what stands around them."""

from datetime import UTC, datetime
from typing import Any

from services.gateway.routes.dashboard.assets import read_assets
from services.gateway.routes.dashboard.editing import Editor, content
from services.gateway.routes.dashboard.showing import Pages

PAGES = Pages(read_assets())
AROUND: dict[str, Any] = {"may": frozenset({"alerts:write"}), "said": {}, "found": None}
STANDING: dict[str, Any] = {
    "path": "/",
    "query": {},
    "entries": [],
    "may": frozenset({"experiments:read", "experiments:write"}),
    "tenant": "acme",
    "actor": "somebody",
    "now": datetime(2026, 1, 1, 12, tzinfo=UTC),
}


def shown(editor: Editor, channels: Any = (), **changes: Any) -> str:
    """The fields of the editor as HTML."""
    return bytes(
        PAGES.shown("rule_form.html", AROUND | changes, content(editor, channels)).body
    ).decode()


def page(name: str, **content: Any) -> str:
    """A whole page as HTML."""
    return bytes(PAGES.shown(name, STANDING, content).body).decode()
