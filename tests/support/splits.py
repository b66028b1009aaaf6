"""V7: the hash splits fairly under any salt, and tests do not know of each other."""

from collections import Counter

from scipy.stats import chi2_contingency, chisquare

from shared.experiments.assignment import BUCKETS, Epoch, assign, bucket, edges
from shared.experiments.epochs import first_epoch, next_epoch
from tests.support.experiments import NOON, config, weighted

WEIGHTS = (0.5, 0.3, 0.2)
UNFAIR = 0.001
Shares = dict[str, float]


def arm(key: str, salt: str, unit: str) -> int:
    """The place of the variant that a unit gets."""
    at = bucket(key, salt, unit)
    return next(place for place, end in enumerate(edges(WEIGHTS)) if at < end)


def split(salts: int, units: int) -> Shares:
    """Salts with p below 0.001, p of two pairs being independent, and whom wider traffic moves."""
    names = [f"user-{number}" for number in range(units)]
    unfair = sum(_p_of(f"{salt}", names) < UNFAIR for salt in range(salts))
    neighbours = [(arm("exp-1", "s", one), arm("exp-2", "s", one)) for one in names]
    enrolled = [(bucket("e", "enrolment", one) < BUCKETS // 2, arm("e", "s", one)) for one in names]
    return {
        "unfair": unfair / salts,
        "p of adjacent keys": _p_together(neighbours),
        "p of enrolment and variant": _p_together(enrolled),
        "moved": moved(names),
    }


def moved(names: list[str]) -> int:
    """Units that have another place after traffic grew, by other weights, from 10 to 50 %."""
    weights = (weighted(a=0.5, b=0.3, c=0.2), weighted(a=0.2, b=0.3, c=0.5))
    narrow, wide = (
        config(variants=of, traffic=part) for of, part in zip(weights, (0.1, 0.5), strict=True)
    )
    before = [first_epoch(narrow, "s", (), NOON)]
    after = [*before, next_epoch(wide, before, "s", (), NOON)]
    return sum(_is_moved(before, after, name) for name in names)


def _is_moved(before: list[Epoch], after: list[Epoch], name: str) -> bool:
    first = assign("checkout-model", None, before, name)
    return first is not None and assign("checkout-model", None, after, name) != first


def _p_of(salt: str, names: list[str]) -> float:
    found = Counter(arm("e", salt, name) for name in names)
    promised = [len(names) * weight for weight in WEIGHTS]
    return float(chisquare([found[place] for place in range(len(WEIGHTS))], promised).pvalue)


def _p_together(pairs: list[tuple[int, int]]) -> float:
    both = Counter(pairs)
    rows, columns = (sorted({pair[at] for pair in pairs}) for at in (0, 1))
    table = [[both[one, two] for two in columns] for one in rows]
    return float(chi2_contingency(table).pvalue)
