"""What kind of thing a function returned."""

import sys
from typing import Any


def is_stream(answer: Any) -> bool:
    """Whether a function's answer is still to come: a generator, or a provider's stream.

    Not every iterator is one: a file is not.
    """
    kind = type(answer)
    is_next = hasattr(kind, "__next__") or hasattr(kind, "__anext__")
    if not is_next or _is_mock(answer):
        return False
    return hasattr(kind, "athrow") or hasattr(kind, "throw") or _answers(answer)


def _is_mock(answer: Any) -> bool:
    """Agents' tests have mocks for answers, which have every attribute that they are asked for."""
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(answer, mock.NonCallableMock)


def _answers(answer: Any) -> bool:
    # Both OpenAI's and Anthropic's streams carry the HTTP response that they read.
    return getattr(answer, "response", None) is not None
