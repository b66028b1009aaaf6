"""The evidence of a row as it is stored with it: enough to weigh the row anew, to the bit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.feedback.domain.formulas import Kind
from services.feedback.domain.quality import Vote
from services.feedback.domain.weighting import Evidence


def terms(evidence: Evidence) -> dict[str, Any]:
    """As JSON. Consent and blocks are columns of the row."""
    return {
        "votes": [
            [
                *(one.kind.value, one.stance, one.reliability),
                *(one.occurred_at.isoformat(), one.how, one.is_contradicted),
            ]
            for one in evidence.votes
        ],
        "outcome": evidence.outcome,
        "checks": evidence.checks,
        "confidence": evidence.confidence,
        "own_judgements": evidence.own_judgements,
    }


def evidence_of(stored: Mapping[str, Any], *, consent: bool | None) -> Evidence:
    """What `terms` wrote."""
    return Evidence(
        tuple(
            Vote(Kind(kind), stance, reliability, datetime.fromisoformat(at), how, contradicted)
            for kind, stance, reliability, at, how, contradicted in stored["votes"]
        ),
        stored["outcome"],
        stored["checks"],
        stored["confidence"],
        consent,
        own_judgements=stored["own_judgements"],
    )
