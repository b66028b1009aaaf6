"""GET /ai/system: what each process says of itself."""

from typing import Any

from tests.integration.gateway.callers import Clients, fields
from tests.support.waiting import eventually


async def test_every_service_says_how_it_does(clients: Clients) -> None:
    events = [fields(n, model_id="system") for n in range(9_000, 9_040)]
    assert (await clients.agent.post("/ai/operations/log", json=events)).status_code == 202

    async def all_there() -> Any:
        found = (await clients.admin.get("/ai/system")).json()
        by_name = {one["service"]: one for one in found["services"]}
        wrote = [by_name.get(name, {}).get("last_fence") for name in ("ingest", "metrics")]
        return by_name if found["missing"] == [] and all(wrote) else None

    found = await eventually(all_there, why="all services have said how they do", deadline_s=90)
    assert sorted(found) == ["abtest", "feedback", "gateway", "ingest", "metrics", "notify"]
    for name, one in found.items():
        assert one["memory_bytes"] > 10_000_000
        assert one["cpu_percent"] >= 0
        assert one["incidents"] == {}
        assert (one["lag"] is None) == (name == "gateway")
    assert found["ingest"]["partitions"] > 0
    assert found["ingest"]["last_fence"]["next_offset"] > 0
    assert found["ingest"]["event_age_s"] >= 0


async def test_only_operators_and_admins_may_look(clients: Clients) -> None:
    assert (await clients.viewer.get("/ai/system")).status_code == 403
    assert (await clients.agent.get("/ai/system")).status_code == 403
    assert (await clients.nobody.get("/ai/system")).status_code == 401
