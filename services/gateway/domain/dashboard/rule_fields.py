"""Fields of the rule editor: of which kinds of rule each is, how it is read, what is said at it."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from shared.alerts.rule import AlertRule

KINDS: Final[Mapping[str, str]] = {
    "limit": "A limit",
    "past": "Worse than before",
    "burn_rate": "An error budget",
    "silence": "Silence",
}
"""What a rule may ask, in the words of the editor."""
FIXED: Final[Mapping[str, Mapping[str, Any]]] = {
    "silence": {
        "metric": "throughput_per_minute",
        "operator": "<",
        "warning": 0,
        "no_data": "alert",
    },
}
"""What a kind says by itself: nothing is less than no operation, so only silence is bad."""
DEFAULTS: Final = AlertRule.model_construct(name="").model_dump(mode="json")
"""Members that nobody has said anything of."""

Read = Literal["text", "number", "each", "pair", "bool"]
"""How the texts of a field become a member: `each` is a list, `pair` an object of names."""


class RuleField(NamedTuple):
    """One field; its name is the member's path."""

    read: Read = "text"
    kinds: tuple[str, ...] = tuple(KINDS)
    codes: tuple[str, ...] = ()
    """Refusals of the rule as a whole that are about this field."""


_LIMIT, _MEASURED, _JUDGED = ("limit",), ("limit", "past"), ("limit", "past", "burn_rate")
FIELDS: Final[Mapping[str, RuleField]] = {
    "name": RuleField(),
    "enabled": RuleField("bool"),
    "metric": RuleField("text", _MEASURED, ("metric", "rows")),
    "operator": RuleField("text", _LIMIT),
    "warning": RuleField("number", _LIMIT, ("limits", "order", "share")),
    "critical": RuleField("number", _LIMIT),
    "recovery": RuleField("number", _LIMIT),
    "baseline.kind": RuleField("text", ("past",)),
    "baseline.delta": RuleField("number", ("past",), ("share",)),
    "burn_rate.slo": RuleField("number", ("burn_rate",)),
    "window": RuleField("text", ("limit", "burn_rate", "silence")),
    "filter.model_id": RuleField(),
    "filter.environment": RuleField(),
    "filter.operation_type": RuleField(),
    "filter.variant": RuleField(),
    "filter.agent_id": RuleField("text", ("limit", "silence"), ("agent",)),
    "group_by": RuleField("each"),
    "min_sample": RuleField("number", _MEASURED),
    "gate": RuleField("text", _JUDGED),
    "hold_for_s": RuleField("number"),
    "no_data": RuleField("text", _JUDGED, ("no_data",)),
    "renotify_s": RuleField("number"),
    "channels": RuleField("each"),
    "labels": RuleField("pair"),
}


def kind_of(rule: Mapping[str, Any]) -> str:
    """Which kind of rule the members of one are."""
    if rule["burn_rate"]:
        return "burn_rate"
    if rule["baseline"]:
        return "past"
    is_fixed = all(rule[name] == value for name, value in FIXED["silence"].items())
    has_more = rule["critical"] is not None or rule["recovery"] is not None
    return "silence" if is_fixed and not has_more else "limit"


def kinds_of_fields(rule: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    """Of which kinds each field is, by name.

    What a kind does not look at is a field of it all the same where `rule` says something there:
    the API keeps it, so an editor that hid it would lose it.
    """
    found = {name: field.kinds for name, field in FIELDS.items()}
    if rule is None:
        return found
    own = kind_of(rule)
    for name, kinds in found.items():
        is_odd = name not in FIXED.get(own, {}) and member(rule, name) != member(DEFAULTS, name)
        if is_odd and own not in kinds:
            found[name] = (*kinds, own)
    return found


def member(rule: Mapping[str, Any], path: str) -> Any:
    """What stands at a path of a rule; `None` where an object on the way is not there."""
    found: Any = rule
    for name in path.split("."):
        found = found[name] if found is not None else None
    return found


def place_of(error: Mapping[str, Any]) -> str | None:
    """The field that a refusal is about: by its pointer, its code, or what holds it."""
    path = str(error["pointer"])[1:].replace("/", ".")
    if path in FIELDS:
        return path
    within = [name for name in FIELDS if not path or name.startswith(f"{path}.")]
    meant = [name for name in within if error["code"] in FIELDS[name].codes]
    around = [name for name in FIELDS if path.startswith(f"{name}.")]
    return next(iter(meant + around + (within if path else [])), None)
