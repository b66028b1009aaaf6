"""What a page of the dashboard says of itself: parts that are asked for, files, and its model."""

import re
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlencode

EVERY = re.compile(r"every (\d+)s")


class Part(NamedTuple):
    """A part of a page that is asked for by itself."""

    url: str
    triggers: str
    kinds: frozenset[str]

    @property
    def every_s(self) -> float | None:
        """How often it is asked for by the clock."""
        found = EVERY.search(self.triggers)
        return float(found[1]) if found else None

    @property
    def is_replaced(self) -> bool:
        """Whether each answer takes its place, so that its clock begins anew."""
        return self.triggers.startswith("every")


class Markup(HTMLParser):
    """Parts, files and the model that a page names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.parts: list[Part] = []
        self.files: list[str] = []
        self.model: str | None = None
        self._form: tuple[str, str] | None = None
        self._fields: dict[str, str] = {}
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.model = has.get("data-live-model", self.model)
        file = has.get("src") or (tag == "link" and has["href"])
        if file:
            self.files.append(file)
        if tag == "form":
            self._form = (
                (has["hx-get"], has.get("hx-trigger", "submit")) if "hx-get" in has else None
            )
            self._fields = {}
        elif "hx-get" in has:
            kinds = frozenset(has.get("data-live", "").split())
            self.parts.append(Part(has["hx-get"], has.get("hx-trigger", "click"), kinds))
        if tag == "select":
            self._select = has.get("name", "")
        elif tag == "input" and self._form:
            self._fields[has["name"]] = has.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._form and self._select and data.strip():
            self._fields.setdefault(self._select, data.strip())  # its first option

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form:
            url, triggers = self._form
            self.parts.append(Part(f"{url}?{urlencode(self._fields)}", triggers, frozenset()))
            self._form = None
        elif tag == "select":
            self._select = ""
