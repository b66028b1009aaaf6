"""The anchor file is only ever longer, and whoever touches it is seen."""

import threading
from pathlib import Path

import pytest

from shared.audit.anchor_file import AnchorFile, lines_of
from shared.audit.anchors import anchors_of, read_lines
from shared.audit.chain import AnchorsBrokenError
from shared.audit.keys import Keys
from tests.unit.audit.made import KEYS, anchor_of, chain, head_of, look

ACME, GLOBEX = chain(9), chain(9, "globex")


def anchored(path: Path, *numbers: int) -> None:
    """Heads of two tenants at some times."""
    file = AnchorFile(path, KEYS)
    for number in numbers:
        with file.locked() as appending:
            appending.append([anchor_of(ACME[number]), anchor_of(GLOBEX[number])])


def read(path: Path, tenant: str = "acme", keys: Keys = KEYS) -> list[int]:
    return [one.sequence for one in anchors_of(tenant, lines_of(path), keys)]


def test_heads_that_moved_are_appended_and_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    anchored(path, 1, 1, 4)
    assert (read(path), read(path, "globex")) == ([2, 5], [2, 5])
    anchored(path, 4, 7)  # another process goes on where the first ended
    assert read(path) == [2, 5, 8]
    assert path.stat().st_mode & 0o077 == 0
    verdict = look(ACME, head_of(ACME), list(anchors_of("acme", lines_of(path), KEYS)))
    assert (verdict.whole, verdict.anchors) == (True, 3)


def test_processes_that_share_a_file_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    threads = [threading.Thread(target=anchored, args=(path, *range(9))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = list(read_lines(lines_of(path), KEYS))
    assert len(found) == path.read_bytes().count(b"\n")


def test_no_file_is_no_anchors(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == []


@pytest.mark.parametrize("place", range(5))
def test_a_line_that_was_touched_is_seen(tmp_path: Path, place: int) -> None:
    path = tmp_path / "anchors"
    anchored(path, 1, 4, 7)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = lines[place].replace(b'"sequence":', b'"sequence":1')
    for touched in (
        [*lines[:place], changed, *lines[place + 1 :]],
        [*lines[:place], *lines[place + 1 :]],
        [*lines[:place], lines[place], *lines[place:]],
        [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]],
        [*lines[:place], b"spoiled\n", *lines[place + 1 :]],
    ):
        path.write_bytes(b"".join(touched))
        with pytest.raises(AnchorsBrokenError):
            read(path)
        verdict = look(ACME, head_of(ACME), anchors_of("acme", lines_of(path), KEYS))  # type: ignore[arg-type]
        assert "anchor file" in str(verdict.why)
        with pytest.raises(AnchorsBrokenError):
            anchored(path, 8)


def test_half_a_line_after_a_crash_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    anchored(path, 1)
    with path.open("ab") as file:
        file.write(b'{"n":3,"at":"2026')
    assert read(path) == [2]
    anchored(path, 4)
    assert read(path) == [2, 5]


def test_another_key_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    anchored(path, 1)
    with pytest.raises(AnchorsBrokenError, match="not the key"):
        read(path, keys=Keys({2: b"three" * 8}))


def test_a_line_that_lacks_only_its_end_after_a_crash_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "anchors"
    anchored(path, 1, 4)
    path.write_bytes(path.read_bytes()[:-1])
    assert read(path, "globex") == [2]
    anchored(path, 7)
    assert (read(path), read(path, "globex")) == ([2, 5, 8], [2, 8])


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path, spoiled = tmp_path / "anchors", tmp_path / "spoiled"
    anchored(path, 1, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"spoiled\n", *lines[3:]]))
    file = AnchorFile(path, KEYS)
    for _ in range(2):
        with pytest.raises(AnchorsBrokenError), file.locked():
            pass
    path.rename(spoiled)
    with file.locked() as appending:
        assert appending.append([anchor_of(ACME[7])]) == 1
    assert read(path) == [8]
    path.rename(spoiled)
    anchored(path, 1, 4, 5, 6, 7)  # by another process, and longer than ours was
    with file.locked() as appending:
        assert appending.append([anchor_of(ACME[7])]) == 0
        assert appending.append([anchor_of(ACME[8])]) == 1
    assert read(path) == [2, 5, 6, 7, 8, 9]
