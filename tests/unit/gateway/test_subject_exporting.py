"""Files of a person's data, and which dead letters are that person's and nobody else's."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from pydantic_core import from_json

from services.gateway.domain.subject_exports import (
    SubjectExportRequest,
    asked_export,
    bears,
    export_view,
    is_of,
    letter_line,
)
from services.gateway.service.subject_exporting import SubjectExporting
from shared.privacy.names import Names

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = Names(b"a secret of tests, long enough")
ANNA = NAMES.pseudonym("acme", "anna")
ROW = {
    "export_id": UUID(int=7),
    "subject": ANNA,
    "subject_hash": "h",
    "status": "ready",
    "created_at": NOON,
    "created_by": "key:k",
    "completed_at": NOON,
    "expires_at": NOON,
}


class Store:
    """Keeps parts of an export, of which some are gone."""

    def __init__(
        self, parts: Sequence[tuple[str, list[str]]], gone: set[int] | None = None
    ) -> None:
        self._parts = parts
        self._gone = gone or set()
        self.asked: list[Any] = []

    async def add(
        self, tenant_id: str, asked: Any, needles: Sequence[bytes], name: str
    ) -> dict[str, Any]:
        self.asked.append((tenant_id, asked, needles, name))
        return {}

    async def reads(self, tenant_id: str, row: Any) -> Sequence[Any]:
        assert (tenant_id, row) == ("acme", ROW)
        return [
            {"seq": seq, "class": name, "lines": len(lines)}
            for seq, (name, lines) in enumerate(self._parts)
        ]

    async def bodies(
        self, tenant_id: str, export_id: UUID, parts: Sequence[Any]
    ) -> AsyncGenerator[bytes, None]:
        assert (tenant_id, export_id) == ("acme", ROW["export_id"])
        for part in parts:
            if part["seq"] in self._gone:
                raise RuntimeError("gone")
            yield "".join(f"{line}\n" for line in self._parts[part["seq"]][1]).encode()

    async def step_all(self) -> bool:
        return False

    async def end_old(self) -> bool:
        return False


def exporting(store: Store) -> SubjectExporting:
    described = {"operations": "Calls.", "feedback": "Words.", "erasures": "None."}
    return SubjectExporting(store, NAMES, lambda: NOON, uuid4, described)


async def test_each_class_is_a_file_of_lines_and_the_manifest_counts_them() -> None:
    parts = [
        ("operations", ['{"n":1}', '{"n":2}']),
        ("operations", ['{"n":3}']),
        ("feedback", ["{}"]),
    ]
    async with exporting(Store(parts)).opened("acme", ROW) as file:
        content = b"".join([chunk async for chunk in file.chunks])
    assert file.content_type == "application/zip"
    with ZipFile(BytesIO(content)) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist() == ["manifest.json", "operations.jsonl", "feedback.jsonl"]
        lines = zipped.read("operations.jsonl").splitlines()
        manifest = from_json(zipped.read("manifest.json"))
    assert [from_json(line)["n"] for line in lines] == [1, 2, 3]
    assert [(one["file"], one["lines"]) for one in manifest["files"]] == [
        ("operations.jsonl", 3),
        ("feedback.jsonl", 1),
        ("erasures.jsonl", 0),
    ]


async def test_a_file_whose_part_is_gone_is_never_ended_as_if_it_were_whole() -> None:
    store = Store([("operations", ["{}"]), ("operations", ["{}"])], gone={1})
    got: list[bytes] = []

    async def read() -> None:
        async with exporting(store).opened("acme", ROW) as file:
            async for chunk in file.chunks:
                got.append(chunk)  # noqa: PERF401 - kept also when it breaks off

    with pytest.raises(RuntimeError, match="gone"):
        await read()
    assert got
    assert b"PK\x05\x06" not in b"".join(got)  # what ends a ZIP file


async def test_a_request_keeps_the_pseudonym_and_hash_and_looks_for_the_name_once() -> None:
    store = Store([])
    await exporting(store).ask("acme", SubjectExportRequest(user_id="anna"), "key:k")
    ((tenant_id, asked, needles, name),) = store.asked
    assert (tenant_id, needles, name) == ("acme", [b'"anna"'], "anna")
    assert asked.subject == ANNA
    assert "'anna'" not in str(asked)
    again = asked_export(
        SubjectExportRequest(user_id="anna"), "acme", NAMES, (uuid4(), "key:x"), NOON
    )
    assert again.subject_hash == asked.subject_hash


def letter(value: bytes | None, tenant_id: str | None = None) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "record_value": value}


@pytest.mark.parametrize(
    ("value", "tenant", "hers"),
    [
        (b'{"tenant_id":"acme","user_id":"anna"', None, True),
        (b'{"tenant_id":"acme","unit_id":"anna"}', None, True),
        (b'{"user_id":"anna"}', "acme", True),
        (b'{"user_id":"anna"}', "globex", False),
        (b'{"user_id":"anna"}', None, False),
        (b'{"tenant_id":"acme","user_id":"annabel"}', None, False),
        (b'{"tenant_id":"globex","user_id":"anna","agent_id":"acme"}', None, False),
        (b'{"tenant_id":"acme","x":{"tenant_id":"globex"},"user_id":"anna"}', None, False),
        (None, "acme", False),
    ],
)
def test_a_letter_is_hers_if_it_names_her_and_no_other_tenant(
    value: bytes | None, tenant: str | None, hers: bool
) -> None:
    assert bears(letter(value, tenant), "acme", ANNA, NAMES) is hers


def test_a_letter_without_a_readable_tenant_is_nobodys() -> None:
    assert not is_of(letter(b'"acme" and "anna"'), "acme")
    assert is_of(letter(b'"acme" and "anna"', "acme"), "acme")


def test_a_letter_is_shown_as_text_or_as_hex_digits() -> None:
    found = from_json(
        letter_line({"record_key": None, "record_value": b"\xff\x00", "record_headers": "[]"})
    )
    assert found == {"record_key": None, "record_value": "hex:ff00", "record_headers": []}


def test_one_that_is_made_anew_is_pending_and_says_not_whose_it_is() -> None:
    shown = export_view(ROW | {"status": "clearing"})
    assert shown["status"] == "pending"
    assert ANNA not in str(shown)
