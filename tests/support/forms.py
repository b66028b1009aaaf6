"""What a browser would send of a page's forms that nobody has touched."""

import json
from html.parser import HTMLParser


class Sent(HTMLParser):
    """Fields of a form as they are sent unchanged, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select = ""
        self._options: list[tuple[bool, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "select":
            self._select, self._options = given["name"] or "", []
        elif tag == "option":
            self._options.append(("selected" in given, given["value"] or ""))
        elif tag == "input" and given.get("name"):
            self._input(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":  # the first one, unless another is chosen
            chosen = [value for is_chosen, value in self._options if is_chosen]
            self.fields.append((self._select, (chosen or [self._options[0][1]])[-1]))

    def _input(self, given: dict[str, str | None]) -> None:
        is_mark = given.get("type") in {"checkbox", "radio"}
        if not is_mark or "checked" in given:
            default = "on" if is_mark else ""
            text = given.get("value", default) or ""
            line = text.replace("\r", "").replace("\n", "")  # as browsers take them out
            kept = given.get("data-kept")
            self.fields.append((str(given["name"]), json.loads(kept) if kept else line))
