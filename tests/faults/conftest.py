"""What the fault tests share: servers of their own, the matrix's lines, and its table."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.matrix import HEADER, Line, markdown
from tests.faults.servers import Servers
from tests.faults.stage import Stage
from tests.support.kafka import need_own_kafka

LINES = pytest.StashKey[list[Line]]()
RESULTS = Path(__file__).parents[2] / "build" / "faults"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers that may be hurt: never those named by the environment."""
    need_own_kafka()
    folder = tmp_path_factory.mktemp("servers")
    folder.chmod(0o755)
    made = Servers(folder)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def stage(servers: Servers, seed: int, tmp_path: Path) -> AsyncIterator[Stage]:
    """The whole system, one process of each service."""
    made = Stage(servers, tmp_path, seed, rate=200)
    try:
        await made.open()
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="session")
def lines(pytestconfig: pytest.Config) -> list[Line]:
    """The matrix as it grows."""
    return pytestconfig.stash.setdefault(LINES, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and keep it as JSON and Markdown."""
    lines = config.stash.get(LINES, [])
    if not lines:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(markdown(lines))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "table.md").write_text(markdown(lines) + "\n")
    content = [dict(zip(HEADER, line.cells(), strict=True)) for line in lines]
    (RESULTS / "table.json").write_text(json.dumps(content, indent=1) + "\n")
