"""Heads are written down for ever, or it is said that they are not."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.gateway.domain.problems import AwayError
from services.gateway.service import auditing
from services.gateway.service.auditing import Anchoring
from shared.audit.anchor_file import AnchorFile, lines_of
from shared.audit.anchors import anchors_of
from shared.audit.chain import Anchor
from shared.tasks import end
from tests.support.waiting import eventually
from tests.unit.audit.made import KEYS, NOON, anchor_of, chain

ROWS = chain(5)


class Heads:
    """A store that is away at first, and then has another head each time."""

    def __init__(self) -> None:
        self.asked = 0

    def opened(self, tenant_id: str) -> object:
        raise NotImplementedError

    async def heads(self) -> Sequence[Anchor]:
        self.asked += 1
        if self.asked == 1:
            raise AwayError("postgres")
        return [anchor_of(ROWS[min(self.asked, len(ROWS)) - 1])]


async def test_without_a_file_it_says_so_and_ends() -> None:
    with capture_logs() as logs:
        await Anchoring(Heads(), None, lambda: NOON).run()  # type: ignore[arg-type]
    assert [one["event"] for one in logs] == ["audit_not_anchored"]


async def test_a_store_that_is_away_and_a_file_that_was_touched_do_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "ANCHOR_EVERY_S", 0.0)
    path = tmp_path / "anchors"
    anchoring = Anchoring(Heads(), AnchorFile(path, KEYS), lambda: NOON)  # type: ignore[arg-type]

    def written() -> list[int]:
        return [one.sequence for one in anchors_of("acme", lines_of(path), KEYS)]

    async def all_written() -> bool:
        return written() == [2, 3, 4, 5]

    with capture_logs() as logs:
        running = asyncio.ensure_future(anchoring.run())
        await eventually(all_written, why="each head is written down once")
        assert anchoring.anchored_at == NOON
        whole = path.read_bytes()
        with path.open("ab") as file:
            file.write(whole.splitlines(keepends=True)[0])

        async def told() -> bool:
            return any(one["event"] == "audit_anchor_failed" for one in logs)

        await eventually(told, why="it says that somebody touched the file")
        assert not running.done()
        await end([running])
