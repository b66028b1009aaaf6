"""A healthy installation, and the doctor that is asked about it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.doctor.examining import Patient, examine
from deploy.doctor.finding import Finding, Level
from deploy.local.process import free_port
from shared.clock import utc_now
from tests.support.commands import commands_leave_the_log  # noqa: F401 - in force by its name
from tests.support.system import SECRET, prepared, topics

Examined = dict[str, Finding]
Doctor = Callable[..., Examined]


@pytest.fixture(scope="module")
def healthy(
    kafka_bootstrap: str, database_dsn: str, redis_url: str, topic_prefix: str
) -> dict[str, str]:
    """Variables of an installation that lacks nothing."""
    asyncio.run(prepared(database_dsn))
    asyncio.run(topics(kafka_bootstrap, topic_prefix))
    return {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "ASSAY_TOPIC_PREFIX": topic_prefix,
        "ASSAY_POSTGRES_DSN": database_dsn,
        "ASSAY_REDIS_URL": redis_url,
        "ASSAY_SECRET_KEY": SECRET,
    }


@pytest.fixture
def doctor(
    healthy: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Doctor]:
    """Asks with the healthy variables, but for those that are changed."""
    for name, value in {**healthy, "ASSAY_GATEWAY_PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)

    def ask(
        *, now: Callable[[], object] = utc_now, data_dir: Path = tmp_path, **changed: str
    ) -> Examined:
        for name, value in changed.items():
            monkeypatch.setenv(name, value)
        patient = Patient(data_dir, "operator", now)  # type: ignore[arg-type]
        return {one.name: one for one in asyncio.run(examine(patient))}

    return ask


def failing(found: Examined) -> set[str]:
    """Names of the checks that fail."""
    return {name for name, one in found.items() if one.level is Level.FAIL}
