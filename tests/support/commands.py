"""Commands that run in the process of their tests."""

import logging
from collections.abc import Iterator

import pytest

from deploy.cli import main


@pytest.fixture(autouse=True)
def commands_leave_the_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command sets logging up for its process, and would leave it on a stream that is closed.

    Import it where commands are invoked: it is in force there.
    """
    monkeypatch.setattr(main, "configure_logging", lambda *_: None)
    library = logging.getLogger("aiokafka")
    before = library.level
    yield
    library.setLevel(before)
