"""One `assay up` for the tests of a file."""

import signal
from collections.abc import Iterator

import pytest

from tests.system.running import Up, end, start


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start it in a folder of its own; stop it by SIGTERM; nothing may stay."""
    running = start(tmp_path_factory.mktemp("up"))
    yield running
    assert end(running, signal.SIGTERM) == 0
