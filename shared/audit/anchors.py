"""Lines of the anchor file: heads of chains, themselves chained. Pure.

Each line is JSON and follows the one before it by `n` and `prev`, sealed with an HMAC. A line that
cannot be read (half of one, after a crash) is passed over: whoever spoils a whole line breaks the
one that follows it.
"""

import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from shared.audit.chain import BEGIN, Anchor, AnchorsBrokenError, instant
from shared.audit.keys import Keys
from shared.audit.plain import canonical


class Place(NamedTuple):
    """Where the file ends: how many lines it has, and the seal of the last."""

    n: int = 0
    mac: str = BEGIN.hex()


def line_of(anchor: Anchor, after: Place, keys: Keys) -> tuple[bytes, Place]:
    """An anchor as the next line, and where the file ends then."""
    members: dict[str, Any] = {
        "n": after.n + 1,
        "at": instant(anchor.at),
        "tenant": anchor.tenant_id,
        "sequence": anchor.sequence,
        "hash": anchor.row_hash.hex(),
        "key_version": keys.current,
        "prev": after.mac,
    }
    mac = _mac(members, keys)
    assert mac is not None  # noqa: S101 - the current key is here
    line = canonical({**members, "mac": mac}).encode() + b"\n"
    return line, Place(after.n + 1, mac)


def read_lines(
    lines: Iterable[bytes], keys: Keys, after: Place | None = None
) -> Iterator[tuple[Anchor, Place]]:
    """Anchors, and where each ends; raises `AnchorsBrokenError` at a line that does not fit."""
    place = after or Place()
    for line in lines:
        found = _parsed(line)
        if found is None:
            continue
        anchor, members, mac = found
        where = f"the anchor file is broken at its anchor {place.n + 1}"
        if members["n"] != place.n + 1 or members["prev"] != place.mac:
            raise AnchorsBrokenError(f"{where}: a line was taken out, put in or moved")
        wanted = _mac(members, keys)
        if wanted is None:
            raise AnchorsBrokenError(f"{where}: there is no key of version it names")
        if not hmac.compare_digest(wanted, mac):
            raise AnchorsBrokenError(f"{where}: the line was changed, or this is not the key")
        place = Place(members["n"], mac)
        yield anchor, place


def anchors_of(tenant_id: str, lines: Iterable[bytes], keys: Keys) -> Iterator[Anchor]:
    """Those of one tenant; all lines are looked at."""
    return (one for one, _ in read_lines(lines, keys) if one.tenant_id == tenant_id)


def _parsed(line: bytes) -> tuple[Anchor, dict[str, Any], str] | None:
    if not line.endswith(b"\n"):
        return None  # it is being written
    try:
        members = json.loads(line)
        mac = members.pop("mac")
        anchor = Anchor(
            members["tenant"],
            datetime.fromisoformat(members["at"]),
            int(members["sequence"]),
            bytes.fromhex(members["hash"]),
        )
        is_whole = {"n", "prev", "key_version"} <= members.keys() and mac.isascii()
        is_whole = is_whole and anchor.at.tzinfo is not None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return (anchor, members, mac) if is_whole else None


def _mac(members: dict[str, Any], keys: Keys) -> str | None:
    version = members["key_version"]
    key = keys.of_anchors(version) if isinstance(version, int) else None
    return None if key is None else hmac.digest(key, canonical(members).encode(), "sha256").hex()
