"""Examples of the analysis' answers, for the OpenAPI document."""

from typing import Any, Final


def _counted(value: float | None, low: float | None, high: float | None, count: int) -> Any:
    return {"value": value, "low": low, "high": high, "count": count}


_SPAN: Final = {
    "as_of": "2026-11-20T12:00:00Z",
    "from": "2026-10-21T12:00:00Z",
    "to": "2026-11-20T12:00:00Z",
}
_WAITING: Final = {
    "feedback": 3,
    "operations": 2,
    "oldest_at": "2026-11-18T07:12:00Z",
    "operations_over_24h": 2,
}
_SAID: Final = {
    "count": 412,
    "comments": 212,
    "voters": 187,
    "sentiment": {
        "negative": _counted(0.31, 0.26, 0.36, 412),
        "neutral": _counted(0.12, 0.09, 0.16, 412),
        "positive": _counted(0.5, 0.44, 0.56, 412),
        "abstained": _counted(0.07, 0.05, 0.1, 412),
    },
    "rating": _counted(3.4, 3.2, 3.6, 240),
    "aspects": {
        "helpful": _counted(0.7, 0.64, 0.76, 300),
        "accurate": _counted(0.61, 0.54, 0.67, 210),
        "relevant": _counted(0.9, 0.82, 0.95, 88),
        "fast": _counted(None, None, None, 0),
    },
    "from_comment": {"helpful": 4, "accurate": 21, "relevant": 0, "fast": 0},
    "conflicts": 9,
    "conflict_share": _counted(0.02, 0.01, 0.04, 412),
    "quality": _counted(0.58, 0.55, 0.61, 390),
}
_COMPARISON: Final = {
    "metric": "accurate",
    "worse": {"name": "model-b", "value": 0.61, "low": 0.54, "high": 0.67, "count": 210},
    "better": {"name": "model-a", "value": 0.83, "low": 0.78, "high": 0.87, "count": 260},
    "limit": None,
    "difference": -0.22,
    "low": -0.3,
    "high": -0.14,
    "p_value": 1e-7,
    "p_adjusted": 3e-7,
}
SUMMARY: Final = {
    **_SPAN,
    "by": "model",
    "groups": 1,
    "total": _SAID,
    "items": [{"group": {"model_id": "model-b"}, **_SAID}],
    "waiting": _WAITING,
}
TRENDS: Final = {
    **_SPAN,
    "age_s": 40,
    "metrics": {
        "rating": {
            "points": [
                {"day": "2026-11-19", **_counted(3.5, 2.9, 4.1, 14)},
                {"day": "2026-11-20", **_counted(None, None, None, 0)},
            ],
            "trend": {
                "direction": "falling",
                "slope_per_day": -0.03,
                "low": -0.05,
                "high": -0.01,
                "p_value": 0.004,
                "days": 29,
            },
            "change": {
                "before": _counted(3.6, 3.3, 3.9, 70),
                "after": _counted(3.1, 2.8, 3.4, 66),
                "difference": -0.5,
                "low": -0.9,
                "high": -0.1,
                "p_value": 0.016,
                "p_adjusted": 0.08,
                "significant": False,
            },
        }
    },
}
ADVICE: Final = {
    **_SPAN,
    "age_s": 40,
    "feedback": 872,
    "comparisons": 14,
    "reason": None,
    "items": [
        {
            "rank": 1,
            "kind": "model_behind",
            "sentence": (
                "model-b on budget_question: 34 % of 212 negative comments say outdated, figures; "
                "accuracy 0.61 (0.54 to 0.67) against 0.83 of model-a."
            ),
            "action": "Send budget_question to model-a, or mend model-b.",
            "model_id": "model-b",
            "operation_type": "budget_question",
            "expected_effect": 0.09,
            "evidence": {"share": 0.41, "share_of": "operations", "comparisons": [_COMPARISON]},
        }
    ],
    "themes": {
        "comments_read": 212,
        "newest_only": False,
        "reason": None,
        "items": [
            {
                "model_id": "model-b",
                "words": ["outdated", "figures"],
                "comments": 72,
                "share": _counted(0.34, 0.28, 0.41, 212),
                "examples": [
                    {"operation_id": "op-1", "comment": "These figures are outdated, ask [EMAIL]."}
                ],
            }
        ],
    },
    "waiting": _WAITING,
}
