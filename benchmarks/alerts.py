"""CPU of one look of the alert keeper: a thousand models, twenty rules, everything changed."""

import logging
import random
import statistics
import time
from typing import Any
from uuid import UUID

import structlog

from benchmarks.servers import Servers
from services.metrics.domain.alerting import KeptRule, RuleBook
from services.metrics.domain.windows import Place
from shared.alerts.rule import AlertRule
from shared.keys import MINUTE_CELLS
from shared.measures.cells import Cell, Series
from tests.unit.metrics.test_alert_keeper import NOON, SHARE, made

MODELS, LOOKS = 1_000, 7
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"burn_rate": {"slo": 0.99}},
    {"metric": "error_rate", "operator": ">", "warning": 0.05, "critical": 0.2},
    {"metric": "success_rate", "operator": "<", "warning": 0.9, "window": "5m"},
    {"metric": "response_time_ms.p95", "operator": ">", "warning": 2_000, "window": "15m"},
    {"metric": "response_time_ms.mean", "operator": ">", "warning": 900},
    {"metric": "response_time_ms.geometric_mean", "operator": ">", "warning": 900},
    {"metric": "cost_usd.total", "operator": ">", "warning": 10},
    {"metric": "throughput_per_minute", "operator": "<", "warning": 0, "no_data": "alert"},
    {"metric": "feedback.rating", "operator": "<", "warning": 3},
    {"metric": "confidence.mean", "operator": "<", "warning": 0.5, "group_by": ["model_id"]},
)
RULES = QUESTIONS * 2


async def alerts(_: Servers) -> dict[str, float]:
    """Milliseconds of CPU a look takes, median of some; two percent of models are ill."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chance = random.Random(1)
    world, keeper = made()
    kept = [
        KeptRule(UUID(int=number), AlertRule.model_validate({"name": f"rule {number}", **question}))
        for number, question in enumerate(RULES, 1)
    ]
    world.book = RuleBook({"acme": kept})
    await keeper.refresh()
    took = []
    for look in range(LOOKS):
        start = int(NOON.timestamp()) // 60 * 60 - 60 * (LOOKS - look)
        content = filled_minute(chance, "production")
        world.filled.put(Place("p", MINUTE_CELLS, "acme", start), content)
        started = time.process_time()
        await keeper.look([SHARE])
        took.append((time.process_time() - started) * 1000)
    return {"alert_look_ms": statistics.median(took)}


def filled_minute(chance: random.Random, environment: str) -> dict[Series, Cell]:
    """A minute in which every model did something."""
    content = {}
    for number in range(MODELS):
        n = chance.randint(50, 200)
        bad = n // 2 if number % 50 == 0 else n // 200
        buckets = {f"d:{chance.randint(300, 360)}": n // 20 + 1 for _ in range(20)}
        total = sum(buckets.values())
        content[Series(f"model-{number}", environment, "chat", "")] = {
            "n": total,
            "ok": max(0, total - bad),
            "rt_us": total * 800_000,
            "ln": total * 6_600_000,
            "ln2": total * 43_700_000,
            "cost_n": total,
            "cost_nano": total * 1_000_000,
            "conf_n": total,
            "conf": total * 800_000,
            "conf2": total * 660_000,
            "rating_n": 30,
            "rating": 130,
            "rating2": 580,
            **buckets,
        }
    return content
