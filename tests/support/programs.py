"""Programs of system packages that stand beside us, as our users have them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local.process import Child, spawn


def program(name: str) -> str:
    """A program of a system package: CI has it."""
    found = shutil.which(name)
    if found is None:
        without = f"no {name}: .ci/prerequisites installs it"
        if os.environ.get("CI"):
            pytest.fail(without)
        pytest.skip(without)
    return found


@contextmanager
def started(name: str, *arguments: str, log: Path) -> Iterator[Child]:
    """A program, running."""
    child = spawn(name, [program(name), *arguments], log, env=dict(os.environ))
    try:
        yield child
    finally:
        child.stop(timeout_s=10)


async def answering(url: str) -> Any:
    """The JSON of a GET, or nothing while nobody answers."""
    async with httpx2.AsyncClient(timeout=5) as client:
        try:
            answer = await client.get(url)
        except httpx2.TransportError:
            return None
    return answer.json() if answer.is_success else None
