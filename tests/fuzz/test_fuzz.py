"""What schemathesis makes up of our own document, asked of a running gateway."""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from schemathesis import openapi

from tests.fuzz.conftest import Running

CASES = int(os.environ.get("ASSAY_FUZZ_CASES", "5"))
PATHS = os.environ.get("ASSAY_FUZZ_PATHS", "")
"""Only paths that this expression matches; all of them by default."""
SEED = os.environ.get("ASSAY_TEST_SEED", "20261128")
CONFIG = Path(__file__).with_name("schemathesis.toml")
WITHIN_S = 4 * 3600
TRACES = ("Traceback", '"event": "unexpected"')
CREDENTIALS = {"Authorization", "X-API-Key"}
NO_SEGMENT = re.compile(r"\.{1,2}|.*%0A.*", re.DOTALL)
"""Of such an address no route is: what clients make shorter themselves, and a line's end."""
UNADMITTED = {401, 414, 431}
"""Heads that are too long are refused before anybody is asked who they are."""


async def schemathesis(gateway: Running, config: Path, *arguments: str) -> tuple[int, str]:
    """Its exit code and what it printed."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", f"{gateway.url}/openapi.json", "--seed", SEED, "--max-examples", str(CASES)),
        *("--no-color", "--workers", "1", "--continue-on-failure", *arguments),
        *(("--include-path-regex", PATHS) if PATHS else ()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await child.communicate()
    return child.returncode or 0, printed.decode()


@pytest.mark.timeout(WITHIN_S)
async def test_nothing_made_up_breaks_a_promise_of_the_document(gateway: Running) -> None:
    bearer = f"Authorization: Bearer {gateway.admin_key}"
    code, printed = await schemathesis(gateway, CONFIG, "--header", bearer)
    assert code == 0, printed
    assert [one for one in TRACES if one in gateway.log()] == []


@pytest.mark.timeout(WITHIN_S)
async def test_nor_does_it_where_there_is_something_to_find(
    gateway: Running, tmp_path: Path
) -> None:
    """The same with ids of what is there, so that more is reached than a 404."""
    config = with_ids(tmp_path, gateway.known)
    bearer = f"Authorization: Bearer {gateway.admin_key}"
    code, printed = await schemathesis(gateway, config, "--header", bearer, "--phases", "fuzzing")
    assert code == 0, printed
    assert [one for one in TRACES if one in gateway.log()] == []


def with_ids(folder: Path, known: Mapping[str, str]) -> Path:
    lines = [CONFIG.read_text(), "[parameters]"]
    lines += [f'"path.{name}" = "{value}"' for name, value in known.items()]
    config = folder / "schemathesis.toml"
    config.write_text("\n".join(lines) + "\n")
    return config


@pytest.mark.timeout(WITHIN_S)
async def test_without_a_credential_nothing_is_answered(gateway: Running) -> None:
    """Each operation of the document that has a permission; also with a made-up credential."""
    schema = openapi.from_url(f"{gateway.url}/openapi.json")
    guarded = [one.ok() for one in schema.get_all_operations()]
    guarded = [one for one in guarded if "security" in one.definition.raw]
    assert len(guarded) > 60
    guarded = [one for one in guarded if re.search(PATHS, one.path)]
    for headers in ({}, {"Authorization": "Bearer assay_made_up"}, {"X-API-Key": "made up"}):
        for operation in guarded:
            await asyncio.to_thread(_refused, operation, headers)
    assert [one for one in TRACES if one in gateway.log()] == []


def _refused(operation: Any, headers: dict[str, str]) -> None:
    @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
    @seed(int(SEED))
    @given(operation.as_strategy())
    def check(case: Any) -> None:
        named = (case.path_parameters or {}).values()
        assume(not any(NO_SEGMENT.fullmatch(str(one)) for one in named))
        case.headers = {k: v for k, v in (case.headers or {}).items() if k not in CREDENTIALS}
        case.headers |= headers
        answer = case.call()
        assert answer.status_code in UNADMITTED, (operation.label, answer.status_code)
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers

    check()
