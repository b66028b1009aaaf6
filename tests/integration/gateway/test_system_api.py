"""GET /ai/system: what each process says of itself."""

from typing import Any

from tests.integration.gateway.callers import Clients, fields
from tests.support.waiting import gone

WRITERS = ("ingest", "metrics")


async def test_every_service_says_how_it_does(clients: Clients) -> None:
    found: dict[str, Any] = {}

    async def without(what: str) -> list[str]:
        said = (await clients.admin.get("/ai/system")).json()
        found.update((one["service"], one) for one in said["services"])
        lacking = [name for name in WRITERS if not found.get(name, {}).get(what)]
        return [*said["missing"], *(f"{name} without {what}" for name in lacking)]

    # What is stored before metrics begins it takes from Postgres, and writes nothing itself.
    await gone(lambda: without("partitions"), why="all are there", deadline_s=90)
    events = [fields(n, model_id="system") for n in range(9_000, 9_040)]
    assert (await clients.agent.post("/ai/operations/log", json=events)).status_code == 202
    await gone(lambda: without("last_fence"), why="it is written and said", deadline_s=90)
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
