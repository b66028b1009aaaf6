"""What a test's units and sums must be, from what was sent. Pure, and none of abtest's code.

The rules are those of docs/experiments.md, written a second time and as plainly as can be: all
events at once, each unit from all its rows.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import product
from typing import Any, NamedTuple

from shared.measures.sketch import key_of
from tests.faults.books import Finding, Kind
from tests.faults.lab.trial import SEPARATOR, Trial, place

Sent = Sequence[tuple[str, Mapping[str, Any]]]
"""Kind (operations, feedback, exposures) and event, repeats too."""
PseudonymOf = Callable[[str, str], str]

A_MINUTE = timedelta(minutes=1)  # clocks of two hosts differ
MICRO, NANO, SLOW_MS, CELLS, SHOWN = 10**6, 10**9, 10_000, 1_024, 3
OPINIONS = ("rating", "helpful", "accurate", "relevant", "fast")
COUNTS = ("n", "crossovers", "ok", "ln", "slow")
OPTIONAL = ("tok", "cost", "conf", *OPINIONS)
TOTALS = (*COUNTS, *(column for name in OPTIONAL for column in (f"{name}_n", name)))
RATIOS = {
    "success_rate": ("ok", "n"),
    "share_slower_than_slo": ("slow", "n"),
    "tokens": ("tok", "tok_n"),
    "cost_usd": ("cost", "cost_n"),
    "confidence": ("conf", "conf_n"),
    **{name: (name, f"{name}_n") for name in OPINIONS[1:]},
}
MEANS = {"response_time_ms": ("ln", "n", 1), "rating": ("rating", "rating_n", MICRO)}


class Row(NamedTuple):
    """What of an event concerns a test."""

    kind: str
    unit: str
    arm: tuple[int, str]
    at: datetime
    is_crossed: bool
    adds: Mapping[str, int]
    bin: int | None = None


class Books(NamedTuple):
    """A test's units and sums: five tables, all shards together, without what is zero."""

    units: dict[Any, Any]
    arms: dict[Any, Any]
    sums: dict[Any, Any]
    sketches: dict[Any, Any]
    days: dict[Any, Any]

    @property
    def lines(self) -> int:
        """How many numbers can be compared."""
        return sum(map(len, self))


def compared(trial: Trial, right: Books, stored: Books) -> Iterator[Finding]:
    """Every line that is missing, too many, or not the same to the last digit."""
    for table, expected, found in zip(Books._fields, right, stored, strict=True):
        wrong: dict[Kind, list[str]] = defaultdict(list)
        for key in sorted(expected.keys() | found.keys(), key=str):
            if expected.get(key) != found.get(key):
                kind: Kind = "different"
                if key not in found or key not in expected:
                    kind = "lost" if key not in found else "double"
                wrong[kind].append(f"{key}: {found.get(key)}, should be {expected.get(key)}")
        for kind, texts in wrong.items():
            yield Finding(kind, len(texts), f"{trial.key}: {table} {texts[:SHOWN]}")


def reckoned(trial: Trial, sent: Sent, pseudonym: PseudonymOf) -> Books:
    """From everything that was sent."""
    by_unit: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(trial, sent):
        by_unit[row.unit].append(row)
    books = Books({}, defaultdict(Counter), {}, defaultdict(Counter), Counter())
    held: dict[tuple[int, str, str], list[tuple[int, int]]] = defaultdict(list)
    for raw, rows in by_unit.items():
        unit = pseudonym(trial.tenant, raw)
        counted = _keep_unit(trial, books, unit, rows)
        if counted is None:
            continue
        totals = _totals(counted)
        home = min(row.arm for row in rows)
        group = _cell(trial.test_id, unit) * 20 // CELLS
        books.sketches[(*home, group)].update(row.bin for row in counted if row.bin is not None)
        for metric, of_unit in _metrics(totals):
            held[(*home, metric)].append(of_unit)
    sums = {key: _moments(pairs) for key, pairs in held.items()}
    sketches = {key: dict(bins) for key, bins in books.sketches.items() if bins}
    return books._replace(sums=sums, sketches=sketches, arms=dict(books.arms))


def _keep_unit(trial: Trial, books: Books, unit: str, rows: list[Row]) -> list[Row] | None:
    """Its line, and its share of its arm; the rows that count there, none if it is in two."""
    arms = sorted({row.arm for row in rows})
    shown = [row for row in rows if row.kind == "exposures"]
    exposed_at = min((row.at for row in shown if row.arm == arms[0]), default=None)
    counted = [
        row
        for row in rows
        if row.kind != "exposures"
        and row.arm == arms[0]
        and (exposed_at is None or exposed_at - row.at <= A_MINUTE)
    ]
    is_crossed = any(row.is_crossed for row in shown)
    is_multiple = is_crossed or any(
        one[1] != then[1] and not _taken_out(trial, one, then)
        for one, then in product(arms, arms)
        if one < then
    )
    first_at, totals = min(row.at for row in rows), _totals(counted)
    seen = " ".join(f"{epoch}:{variant}" for epoch, variant in arms)
    line = (seen, is_crossed, is_multiple, exposed_at, first_at, len(rows), *arms[0])
    books.units[unit] = (*line, *(totals[name] for name in TOTALS))
    arm = books.arms[arms[0]]
    if is_multiple:
        arm["multiple"] += 1
        return None
    arm.update(units=1, operations=totals["n"], crossovers=totals["crossovers"])
    books.days[first_at.date()] += 1
    return counted


def _taken_out(trial: Trial, one: tuple[int, str], then: tuple[int, str]) -> bool:
    return any(
        epoch.gives_nothing_to(one[1]) for epoch in trial.epochs if one[0] < epoch.number <= then[0]
    )


def _rows(trial: Trial, sent: Sent) -> Iterator[Row]:
    """Rows of operations, of feedback on them, and of exposures; each event once."""
    operations: dict[str, Row] = {}
    said: list[Mapping[str, Any]] = []
    for kind, event in _distinct(trial.tenant, sent):
        if kind == "feedback":
            said.append(event)
        elif kind == "exposures":
            yield from _of_exposure(trial, event)
        elif row := _of_operation(trial, event):
            operations[event["operation_id"]] = row
            yield row
    for event in said:
        about = operations.get(event["operation_id"])
        held = {name: int(event[name]) for name in OPINIONS if event.get(name) is not None}
        if about is not None and held:
            yield Row("feedback", about.unit, about.arm, about.at, False, _counted(held))


def _distinct(tenant: str, sent: Sent) -> Iterable[tuple[str, Mapping[str, Any]]]:
    found = {
        (kind, event["event_id"], event["occurred_at"]): (kind, event)
        for kind, event in sent
        if event["tenant_id"] == tenant
    }
    return found.values()


def _of_operation(trial: Trial, event: Mapping[str, Any]) -> Row | None:
    at, unit = datetime.fromisoformat(event["occurred_at"]), event.get(trial.unit)
    is_wanted = trial.operation_type in (None, event["operation_type"])
    arm = place(trial, unit, trial.begun_by(at)) if unit else None
    if arm is None or not is_wanted or not trial.ran_at(at):
        return None
    ms, tokens = event["response_time_ms"], (event.get("input_tokens"), event.get("output_tokens"))
    is_crossed = event["model_id"] != dict(trial.models)[arm[1]]
    adds = {"n": 1, "ok": int(event["success"]), "slow": int(ms > SLOW_MS)}
    adds |= {"ln": round(math.log(ms) * MICRO), "crossovers": int(is_crossed)}
    held = {}
    if tokens != (None, None):
        held["tok"] = sum(one or 0 for one in tokens)
    if "cost_usd" in event:
        held["cost"] = round(event["cost_usd"] * NANO)
    if "confidence" in event:
        held["conf"] = round(event["confidence"] * MICRO)
    return Row("operations", unit, arm, at, is_crossed, adds | _counted(held), key_of(ms))


def _of_exposure(trial: Trial, event: Mapping[str, Any]) -> Iterator[Row]:
    """An exposure is believed, unless it says what cannot be."""
    at, unit, variant = (
        datetime.fromisoformat(event["occurred_at"]),
        event["unit_id"],
        event["variant"],
    )
    told = event.get("epoch")
    is_possible = variant in dict(trial.models) and SEPARATOR not in unit
    if event["test_id"] != trial.test_id or not trial.ran_at(at) or not is_possible:
        return
    if told is not None and told > len(trial.epochs):
        return
    now = place(trial, unit, trial.begun_by(at))
    then = place(trial, unit, told) if told else None
    fits = [arm for arm in (now, then) if arm is not None and arm[1] == variant]
    arm = fits[0] if fits else (told or max(1, trial.begun_by(at)), variant)
    nobody = any(e.number == arm[0] and e.gives_nothing_to(variant) for e in trial.epochs)
    yield Row("exposures", unit, arm, at, not fits and (now is not None or nobody), {})


def _counted(held: Mapping[str, int]) -> dict[str, int]:
    return dict(held) | {f"{name}_n": 1 for name in held}


def _totals(rows: Iterable[Row]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals.update(row.adds)
    return totals


def _metrics(totals: Mapping[str, int]) -> Iterator[tuple[str, tuple[int, int]]]:
    """A unit's value of each metric that it has one of, as what is summed: m and d."""
    for metric, (m, d) in RATIOS.items():
        if totals[d]:
            yield metric, (totals[m], totals[d])
    for metric, (m, d, factor) in MEANS.items():
        if totals[d]:
            # Halves to even, in whole numbers: a double would be wrong in the last digit.
            whole, rest = divmod(totals[m] * factor, totals[d])
            yield metric, (whole + (2 * rest + whole % 2 > totals[d]), 1)


def _moments(pairs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    ms, ds = [m for m, _ in pairs], [d for _, d in pairs]
    products = (
        sum(x * y for x, y in zip(*of, strict=True)) for of in ((ms, ms), (ds, ds), (ms, ds))
    )
    mm, dd, md = products
    return len(pairs), sum(ms), mm, sum(ds), dd, md


def _cell(test_id: str, unit: str) -> int:
    digest = sha256(SEPARATOR.join((test_id, "cell", unit)).encode()).digest()
    return int.from_bytes(digest[:8], "big") * CELLS // 2**64
