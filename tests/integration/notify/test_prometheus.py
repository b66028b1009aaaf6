"""A real Prometheus scrapes every service, and knows what our rules and dashboards ask for."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local.process import free_port
from deploy.names import SERVICES
from tests.faults.victims import ROOT, Victim
from tests.support.programs import answering, program, started
from tests.support.system import SECRET, prepared, topics
from tests.support.waiting import eventually

DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
async def services(
    kafka_bootstrap: str,
    topic_prefix: str,
    database_dsn: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, Victim]]:
    """Each service as a process of its own, ready."""
    dsns = await prepared(database_dsn)
    await topics(kafka_bootstrap, topic_prefix)
    logs = tmp_path_factory.mktemp("services")
    made = {}
    for name in SERVICES:
        env = {
            "ASSAY_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
            "ASSAY_TOPIC_PREFIX": topic_prefix,
            "ASSAY_REDIS_URL": redis_url,
            "ASSAY_POSTGRES_DSN": dsns[name],
            "ASSAY_SECRET_KEY": SECRET,
        }
        made[name] = Victim(name, env, logs)
        made[name].start()

    async def ready() -> bool:
        return [await one.waits_for() for one in made.values()] == [{}] * len(made)

    await eventually(ready, why="all are ready", deadline_s=60)
    yield made
    for victim in made.values():
        victim.stop()


async def test_prometheus_scrapes_all_services_without_an_error(
    services: dict[str, Victim], tmp_path: Path
) -> None:
    port = free_port()
    targets = [
        {"targets": [one.url.removeprefix("http://")], "labels": {"service": name}}
        for name, one in services.items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(DEPLOY / "prometheus" / "alerts.yml")],
        "scrape_configs": [{"job_name": "assay", "static_configs": targets}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    with started(
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        log=tmp_path / "prometheus.log",
    ):
        api = f"http://127.0.0.1:{port}/api/v1"

        async def scraped() -> bool:
            found = ((await answering(f"{api}/targets")) or {"data": {"activeTargets": []}})["data"]
            states = [one["health"] for one in found["activeTargets"]]
            return states == ["up"] * len(SERVICES)

        await eventually(scraped, why="all targets are up", deadline_s=60)

        async def evaluated() -> Any:
            (found,) = (await answering(f"{api}/rules"))["data"]["groups"]
            unknown = any(rule["health"] == "unknown" for rule in found["rules"])
            return None if unknown else found

        group = await eventually(evaluated, why="all rules were evaluated")
        assert len(group["rules"]) == 16
        assert [rule["health"] for rule in group["rules"]] == ["ok"] * 16
        names = set((await answering(f"{api}/label/__name__/values"))["data"])
    _check_names(names, [rule["query"] for rule in group["rules"]])


def _check_names(known: set[str], texts: list[str]) -> None:
    """What rules and dashboards ask for exists, from a service's first moment on."""
    boards = list((DEPLOY / "grafana").glob("*.json"))
    for board in boards:
        panels = json.loads(board.read_text())["panels"]
        texts += [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(boards) == 2
    asked = set(re.findall(r"\b(?:assay|process)_[a-z_]+", " ".join(texts)))
    assert asked - known == set()


@pytest.mark.parametrize("name", SERVICES)
async def test_promtool_finds_nothing_wrong_with_what_a_service_says(
    services: dict[str, Victim], name: str
) -> None:
    async with httpx2.AsyncClient() as client:
        text = (await client.get(f"{services[name].url}/metrics")).text
    checked = await asyncio.to_thread(
        subprocess.run,
        [program("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
