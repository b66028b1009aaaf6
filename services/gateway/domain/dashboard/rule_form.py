"""A rule as the texts of its form, and back: what a browser sends, with or without a script."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.domain.dashboard.rule_fields import (
    DEFAULTS,
    FIELDS,
    FIXED,
    KINDS,
    Read,
    kind_of,
    member,
)
from services.gateway.domain.problems import wrong_field

Form = Mapping[str, Sequence[str]]
"""Texts by field, as forms send them: a box that is not marked sends nothing."""

NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""As HTML has it: Python would also read infinity and underscores."""
LONGEST_WHOLE = 1e15
VALUES = "labels.value"
TOLD: Final = {"all": "All channels, also those made later", "these": "Only those marked here"}


def form_of(rule: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """The texts that a rule's form begins with; without a rule, those of a new one."""
    rule = DEFAULTS if rule is None else rule
    form = {name: _texts(member(rule, name), field.read) for name, field in FIELDS.items()}
    form["kind"] = [kind_of(rule)]
    form["told"] = ["all" if rule["channels"] is None else "these"]
    form[VALUES] = list(rule["labels"].values())
    return form


def rule_of(form: Form, kinds: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The rule that a form asks for, as the API takes it; what is wrong there is left as it was.

    `kinds` says of which kinds each field is. Raises `Problem` (422) where no rule can say what the
    form does: an unknown kind, or a label that is given twice.
    """
    kind = first(form, "kind")
    if kind not in KINDS:
        raise wrong_field("kind", f"must be one of {', '.join(KINDS)}")
    rule: dict[str, Any] = dict(FIXED.get(kind, {}))
    for name, field in FIELDS.items():
        if kind in kinds[name]:
            _put(rule, name, _read(form, name, field.read))
    return rule


def asked_in(given: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """A form as it came in an address: a field that is not named there is empty."""
    form: dict[str, list[str]] = {name: [] for name in (*FIELDS, "kind", "told", VALUES)}
    for name, text in given:
        if name in form:
            form[name].append(text)
    return form


def first(form: Form, name: str) -> str:
    """The one text of a field, or none."""
    return next(iter(form.get(name, ())), "")


def pairs(form: Form) -> list[tuple[str, str]]:
    """Labels as they stand in a form, those that are empty left out."""
    both = zip(form.get("labels", ()), form.get(VALUES, ()), strict=False)
    return [(name, value) for name, value in both if name or value]


def _texts(value: Any, read: Read) -> list[str]:
    if read == "bool":
        return ["on"] if value else []
    if read in {"each", "pair"}:
        return [str(one) for one in value or ()]
    if value is None:
        return [""]
    return [_digits(value) if read == "number" else str(value)]


def _digits(value: float) -> str:
    """A number with all of its digits, and none that say nothing."""
    is_whole = float(value).is_integer() and abs(value) < LONGEST_WHOLE
    return str(int(value)) if is_whole else repr(value)


def _read(form: Form, name: str, read: Read) -> Any:
    """A member, or `None` for what is left to the API's default."""
    if read == "bool":
        return bool(form.get(name))
    if read == "pair":
        return _named(pairs(form))
    if read == "each":
        is_left = name == "channels" and first(form, "told") != "these"
        return None if is_left else [one for one in form.get(name, ()) if one]
    text = first(form, name)
    return _number(text) if read == "number" else text or None


def _number(text: str) -> float | str | None:
    """A number; a text that is none stays, so that its field is told so."""
    if not NUMBER.fullmatch(text):
        return text or None
    value = float(text)
    if math.isinf(value):
        return text  # JSON has no number so large
    return int(value) if value.is_integer() and abs(value) < LONGEST_WHOLE else value


def _named(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    named = dict(given)
    if len(named) < len(given):
        raise wrong_field("labels", "two of them have the same name; give each one of its own")
    return named


def _put(rule: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:  # also of nothing: that something was chosen, and then not said, is told
        rule = rule.setdefault(name, {})
    if value is not None:
        rule[last] = value
