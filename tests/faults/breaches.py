"""Whether alerts fit the minutes of Postgres, decided anew and only where nobody can doubt. Pure.

Rules on shares of failure or success, with limits. The interval comes from scipy, not from Assay;
where an answer would depend on the instant of the look or on the kind of interval there is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from scipy.stats import binomtest

from shared.alerts.rule import AlertRule
from tests.faults.alerts import Alert, Body
from tests.faults.books import Finding

COUNTED = {"error_rate", "success_rate"}
LENGTH_S = {"5m": 300, "15m": 900, "1h": 3_600, "24h": 86_400, "7d": 604_800}
MINUTE, HOUR = 60, 3_600
AHEAD_S = 60  # a producer's clock may be so much ahead of ours
# Three looks: so long may an alert be behind what its window holds.
LOOKS_S = 12
SURE = {"warning": 0.99, "critical": 0.999}

Place = tuple[str, str, tuple[str, ...]]
"""Tenant, rule, and the group's names."""
Answer = Literal["bad", "well"] | None


class Minute(NamedTuple):
    """What one series did in one minute (Unix seconds)."""

    tenant: str
    series: Mapping[str, str]
    start: int
    n: int
    ok: int


class Rule(NamedTuple):
    """A rule and whose it is."""

    tenant: str
    rule_id: str
    rule: AlertRule


class Count(NamedTuple):
    """What a window holds."""

    n: int
    ok: int


def fitting(
    rules: Collection[Rule], alerts: Iterable[Alert], minutes: Iterable[Minute], now: float
) -> Iterator[Finding]:
    """What is surely bad has an open alert, what is surely well has none, nor has a lost rule."""
    on = {(one.tenant, one.rule_id): one.rule for one in rules if one.rule.enabled}
    held = by_place(rules, minutes)
    opened = set()
    for alert in alerts:
        if alert.state != "resolved":
            rule = on.get((alert.tenant, alert.rule_id))
            if rule is None:
                yield Finding("behind", 1, f"alert {alert.alert_id} is open without a rule")
            else:
                opened.add(_place(rule, alert.tenant, alert.rule_id, alert.labels))
    for place in sorted(held):
        rule = on.get(place[:2])
        if rule is None:
            continue
        counts = [count(rule, held[place], now - ago, now - ago) for ago in (0, LOOKS_S)]
        answers = {judged(rule, one) for one in counts}
        for answer, is_open in (("bad", True), ("well", False)):
            if answers == {answer} and (place in opened) != is_open:
                text = f"{place} is {answer}, {counts[0]}, and its alert is open: {not is_open}"
                yield Finding("behind", 1, text)


def stated(
    rules: Collection[Rule], bodies: Iterable[Body], minutes: Iterable[Minute]
) -> Iterator[Finding]:
    """What fires says numbers that its window can have held."""
    known = {(one.tenant, one.rule_id): one.rule for one in rules}
    held = by_place(rules, minutes)
    last: dict[str, Body] = {}
    for body in sorted(bodies, key=lambda one: int(one["step"])):
        if body["state"] == "firing" and body.get("value") is not None:
            last[body["alert_id"]] = body
    for body in last.values():
        rule = known.get((body["tenant_id"], body["rule_id"]))
        if rule is None or rule.metric not in COUNTED:
            continue
        place = _place(rule, body["tenant_id"], body["rule_id"], body["labels"])
        at = datetime.fromisoformat(body["occurred_at"]).timestamp()
        # Later events may have joined these minutes since: there can be more now, never less.
        most = count(rule, held.get(place, []), at - LOOKS_S, at)
        if not _possible(rule, body, most):
            said = f"{body['value']} of {body['sample']}"
            yield Finding("different", 1, f"{place} fired with {said}; its rows are {most}")


def by_place(rules: Iterable[Rule], minutes: Iterable[Minute]) -> dict[Place, list[Minute]]:
    """Minutes of each group of the rules that can be judged."""
    judging = [
        one
        for one in rules
        if one.rule.metric in COUNTED and one.rule.operator and one.rule.no_data == "keep"
    ]
    found: dict[Place, list[Minute]] = defaultdict(list)
    for minute in minutes:
        for tenant, rule_id, rule in judging:
            wanted = rule.filter.model_dump(exclude_none=True).items()
            if tenant == minute.tenant and all(minute.series[name] == is_ for name, is_ in wanted):
                found[_place(rule, tenant, rule_id, minute.series)].append(minute)
    return found


def count(rule: AlertRule, minutes: Iterable[Minute], since: float, until: float) -> Count:
    """What the rule's window held, at some look between two instants at the most."""
    step = MINUTE if LENGTH_S[rule.window] <= HOUR else HOUR
    first = int(since - LENGTH_S[rule.window]) // step * step
    last = int(until + AHEAD_S) // step * step
    inside = [one for one in minutes if first <= one.start // step * step <= last]
    return Count(sum(one.n for one in inside), sum(one.ok for one in inside))


def judged(rule: AlertRule, held: Count) -> Answer:
    """Surely bad, surely well, or neither."""
    if held.n < rule.min_sample:
        return None
    kind, limit = ("warning", rule.warning)
    if limit is None:
        kind, limit = ("critical", rule.critical)
    assert limit is not None  # a rule with an operator has one
    events = held.ok if rule.metric == "success_rate" else held.n - held.ok
    value = events / held.n
    if not any(_beyond(rule, value, one) for one in (limit, _recovery(rule, limit))):
        return "well"
    ends = [value] if rule.gate == "point" else list(_ends(rule, events, held.n, SURE[kind]))
    return "bad" if all(_beyond(rule, one, limit) for one in ends) else None


def _ends(rule: AlertRule, events: int, n: int, sure: float) -> Iterator[float]:
    """The end of each kind of interval that must be beyond the limit."""
    for method in ("wilson", "exact"):
        interval = binomtest(events, n).proportion_ci(2 * sure - 1, method=method)
        yield float(interval.low if rule.is_upper else interval.high)


def _beyond(rule: AlertRule, value: float, limit: float) -> bool:
    is_at = value == limit and rule.operator in {"<=", ">="}
    return is_at or (value > limit if rule.is_upper else value < limit)


def _recovery(rule: AlertRule, limit: float) -> float:
    """As docs/alerts.md has it: as given, else half of a bad share, else the limit."""
    if rule.recovery is not None:
        return rule.recovery
    if rule.is_upper != (rule.metric == "error_rate"):
        return limit
    return limit / 2 if rule.is_upper else 1 - (1 - limit) / 2


def _possible(rule: AlertRule, body: Body, most: Count) -> bool:
    sample, value = body["sample"], body["value"]
    events = round(value * sample)
    failed = events if rule.metric == "error_rate" else sample - events
    whole = sample > 0 and abs(events / sample - value) < 1e-9
    return bool(whole and failed <= most.n - most.ok and sample - failed <= most.ok)


def _place(rule: AlertRule, tenant: str, rule_id: str, labels: Mapping[str, str]) -> Place:
    return tenant, rule_id, tuple(labels.get(name, "") for name in rule.group_by)
