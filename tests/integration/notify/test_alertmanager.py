"""A real Alertmanager hears of alerts, and of their ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local.process import free_port
from tests.integration.notify.conftest import World, until_log
from tests.support.alerts import step
from tests.support.programs import answering, started
from tests.support.receiver import Receiver
from tests.support.waiting import eventually


async def test_alertmanager_shows_a_fired_alert_and_its_end(
    world: World, receiver: Receiver, only: Callable[..., Any], tmp_path: Path
) -> None:
    port = free_port()
    config = tmp_path / "alertmanager.yml"
    config.write_text(f"""
route: {{receiver: here, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: here
    webhook_configs: [{{url: "{receiver.url}/from-alertmanager", send_resolved: true}}]
""")
    with started(
        "prometheus-alertmanager",
        f"--config.file={config}",
        f"--storage.path={tmp_path}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        log=tmp_path / "alertmanager.log",
    ):
        url = f"http://127.0.0.1:{port}"
        await eventually(lambda: answering(f"{url}/api/v2/status"), why="Alertmanager answers")
        channel = await only(url, "alertmanager")
        await world.tell(step(1, "pending", "real"), step(2, "firing", "real"))
        (shown,) = await eventually(lambda: answering(f"{url}/api/v2/alerts"), why="it is shown")
        assert shown["status"]["state"] == "active"
        assert shown["labels"]["alertname"] == "errors"
        assert shown["labels"]["environment"] == "production"
        await world.tell(step(3, "resolved", "real"))
        await until_log(world, channel, [("firing", "delivered"), ("resolved", "delivered")])

        def statuses() -> list[str]:
            return [one.content["status"] for one in receiver.at("/from-alertmanager")]

        await eventually(lambda: statuses() == ["firing", "resolved"], why="it tells the end on")
