"""Reads answers and chunks for an operation; what it cannot read costs nobody anything."""

from typing import Any

from assay_sdk.answers import Fields, is_answer, read
from assay_sdk.chunks import Said, said
from assay_sdk.outcome import Counters

NOTHING = Said(True, "", {})


class Reader:
    """How a client reads, and where it counts what it could not."""

    def __init__(self, counters: Counters, *, content: bool) -> None:
        self.content = content
        self._counters = counters

    def answer(self, answer: Any) -> Fields:
        """What an answer says; nothing, and counted, where reading it raises."""
        try:
            return read(answer, content=self.content)
        except Exception:
            self._counters.add("unread_answers")
            return {}

    def result(self, result: Any) -> Fields:
        """What a function returned: a provider's answer, or a text, or nothing to be read."""
        try:
            if isinstance(result, str):
                return {"output_text": result} if self.content and result else {}
            return read(result, content=self.content) if is_answer(result) else {}
        except Exception:
            self._counters.add("unread_answers")
            return {}

    def chunk(self, chunk: Any) -> Said:
        """What a chunk says; a bare token where reading it raises."""
        try:
            return said(chunk)
        except Exception:
            self._counters.add("unread_answers")
            return NOTHING
