"""Feedback that named no model, kept until its operation is known."""

import json
from typing import NamedTuple, Self

from shared.events.feedback import FeedbackEvent
from shared.measures.cells import CellKey, Cells, Series
from shared.measures.fold import Judgement, add_judgement, minute_start


class Waiting(NamedTuple):
    """What of a feedback is needed once its operation is known."""

    tenant_id: str
    operation_id: str
    minute: int
    judgement: Judgement

    @classmethod
    def of(cls, event: FeedbackEvent, at_us: int) -> Self:
        """The part of a feedback that waits."""
        said = Judgement(event.rating, event.helpful, event.accurate, event.relevant, event.fast)
        return cls(event.tenant_id, event.operation_id, minute_start(at_us), said)


def encode_waiting(waiting: Waiting) -> bytes:
    """As stored."""
    return json.dumps([*waiting[:3], list(waiting.judgement)]).encode()


def decode_waiting(stored: bytes) -> Waiting:
    """As it was."""
    tenant_id, operation_id, minute, said = json.loads(stored)
    return Waiting(tenant_id, operation_id, minute, Judgement(*said))


def fold_waiting(joined: list[tuple[Waiting, Series]]) -> Cells:
    """Cells of feedback whose operations were found."""
    cells: Cells = {}
    for waiting, series in joined:
        key = CellKey(waiting.tenant_id, waiting.minute, series)
        add_judgement(cells.setdefault(key, {}), waiting.judgement)
    return cells
