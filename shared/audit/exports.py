"""A chain as a file: JSON Lines, with a sealed last line that says where it ended. Pure."""

import hmac
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from shared.audit.chain import Anchor, Head, Row, Verdict, Verifier, instant
from shared.audit.keys import Keys
from shared.audit.plain import canonical

KIND: Final = "assay audit log"


class ExportError(ValueError):
    """A file that is no whole export."""


def first_line(tenant_id: str) -> bytes:
    """What the file is."""
    return _line({"kind": KIND, "format": 1, "tenant": tenant_id})


def line_of(row: Row) -> bytes:
    """A row."""
    members = row._asdict()
    members |= {"occurred_at": instant(row.occurred_at)}
    return _line(members | {name: members[name].hex() for name in ("prev_hash", "row_hash")})


def last_line(tenant_id: str, head: Head | None, as_of: datetime, keys: Keys) -> bytes:
    """Where the chain ended as of an instant, sealed."""
    members = {
        "tenant": tenant_id,
        "sequence": head.sequence if head else 0,
        "row_hash": head.row_hash.hex() if head else "",
        "as_of": instant(as_of),
        "key_version": keys.current,
    }
    return _line({"end": members, "mac": _mac(members, keys)})


def tenant_of(line: bytes) -> str:
    """Whose chain a file with this first line holds; raises `ExportError`."""
    found = _object(line, 1)
    if found.get("kind") != KIND or not isinstance(found.get("tenant"), str):
        raise ExportError("line 1 says something else than that this is an audit log")
    return str(found["tenant"])


def verify_export(
    tenant_id: str, lines: Iterator[bytes], keys: Keys, anchors: Iterable[Anchor]
) -> Verdict:
    """Look at what follows the first line, a row at a time; raises `ExportError`."""
    verifier = Verifier(tenant_id, keys, anchors)
    for number, line in enumerate(lines, 2):
        found = _object(line, number)
        if "end" not in found:
            verifier.add(_row(found, number))
            continue
        head, as_of = _end(found, tenant_id, keys, number)
        if next(lines, None) is not None:
            raise ExportError(f"line {number + 1} follows the last line")
        return verifier.end(head, as_of)
    raise ExportError("the last line is missing: the file was cut, or is not whole yet")


def _row(found: dict[str, Any], number: int) -> Row:
    try:
        members = {name: found[name] for name in Row._fields}
        members["occurred_at"] = datetime.fromisoformat(members["occurred_at"])
        for name in ("prev_hash", "row_hash"):
            members[name] = bytes.fromhex(members[name])
        if not all(type(members[name]) is int for name in ("sequence", "key_version")):
            raise TypeError("no number")
        if members["occurred_at"].tzinfo is None:
            raise ValueError("no offset")
    except (KeyError, ValueError, TypeError) as error:
        raise ExportError(f"line {number} is no row: {error}") from error
    return Row(**members)


def _end(
    found: dict[str, Any], tenant_id: str, keys: Keys, number: int
) -> tuple[Head | None, datetime]:
    try:
        members, mac = found["end"], bytes.fromhex(found["mac"])
        wanted = bytes.fromhex(_mac(members, keys))
        as_of = datetime.fromisoformat(members["as_of"])
        head = Head(members["sequence"], bytes.fromhex(members["row_hash"]))
    except (KeyError, ValueError, TypeError) as error:
        raise ExportError(f"line {number} is no last line: {error}") from error
    if not hmac.compare_digest(wanted, mac) or members.get("tenant") != tenant_id:
        raise ExportError("the last line was changed, or this is not the key")
    return head if head.sequence else None, as_of


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise ExportError(f"line {number} is no JSON") from error
    if not isinstance(found, dict):
        raise ExportError(f"line {number} is no object")
    return found


def _mac(members: dict[str, Any], keys: Keys) -> str:
    key = keys.of_exports(members["key_version"])
    if key is None:
        raise ExportError(f"there is no key of version {members['key_version']}")
    return hmac.digest(key, canonical(members).encode(), "sha256").hex()


def _line(members: dict[str, Any]) -> bytes:
    return canonical(members).encode() + b"\n"
