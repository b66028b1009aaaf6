"""What each of two tenants has, for the matrix of who may see and do what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.integration.gateway.callers import fields
from tests.integration.gateway.trained import store_dataset, store_training
from tests.support.experiments import body, weighted
from tests.support.system import Rows
from tests.support.waiting import eventually

FAR = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
RULE = {"metric": "error_rate", "operator": ">", "warning": 0.99}
REVIEWER = "ann"
KEPT = {
    "rule_id": ("alert_rules", "rule_id"),
    "alert_id": ("performance_alerts", "alert_id"),
    "channel_id": ("notification_channels", "channel_id"),
    "silence_id": ("silences", "silence_id"),
    "test_id": ("ab_tests", "test_id"),
    "dataset_id": ("datasets", "dataset_id"),
    "row_id": ("model_training_data", "row_id"),
    "queue_id": ("review_queues", "queue_id"),
    "key_id": ("api_keys", "id"),
    "erasure_id": ("erasures", "erasure_id"),
    "export_id": ("subject_exports", "export_id"),
}
"""Where the object of a path parameter is a row of its own."""
NOTED = ["last_used_at", "held_by", "held_until", "paced_until"]
DONE = {"erasures": ["status", "subject", "completed_at"], "ab_tests": ["updated_at"]}
"""Of an erasure, once each service has answered; of a test, once its past is read, a minute after
its start. Of others they are what nobody may change."""


@dataclass
class Tenant:
    """One tenant: its admin, its objects by path parameter, and what only it may read."""

    name: str
    admin: httpx2.AsyncClient
    rows: Rows
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """In each of its names."""
        return f"zq{self.name}"

    @property
    def secret(self) -> str:
        """In all that it wrote; no request ever holds it."""
        return f"secret-of-{self.word}"

    def needles(self) -> set[str]:
        """What no answer to anybody else may hold, unless he sent it himself."""
        return {self.word, self.secret, *(self.ids[name] for name in KEPT)}

    def makers(self) -> dict[str, Callable[[], Awaitable[str]]]:
        """How to make a new object for each path parameter that names one."""
        return {
            "rule_id": self._rule,
            "alert_id": self._alert,
            "channel_id": self._channel,
            "silence_id": self._silence,
            "test_id": self._test,
            "dataset_id": self._dataset,
            "row_id": self._row,
            "queue_id": self._queue,
            "key_id": self._key,
            "erasure_id": self._erasure,
            "export_id": self._export,
        }

    async def plant(self) -> None:
        """One of everything."""
        self.ids |= {
            "model_id": f"model-{self.word}",
            "operation_id": f"op-{self.word}",
            "name": "operation.v1",
            "digest": "0" * 16,
        }
        await self._operation()
        for name, make in self.makers().items():
            self.ids[name] = await make()
        self.ids["key"] = await self._begun()

    async def snapshot(self) -> dict[str, str]:
        """Its objects as they are stored, without what services note of their own work."""
        found = {}
        for name, (table, column) in KEPT.items():
            [row] = await self.rows(
                f"SELECT to_jsonb(t) - $3::text[] AS body FROM {table} AS t"
                f" WHERE tenant_id = $1 AND {column}::text = $2",
                *(self.name, self.ids[name], NOTED + DONE.get(table, [])),
            )
            found[name] = row["body"]
        return found

    async def _operation(self) -> None:
        event = fields(1) | {
            "operation_id": self.ids["operation_id"],
            "model_id": self.ids["model_id"],
            "user_id": f"user-{self.word}",
            "session_id": f"session-{self.word}",
            "agent_id": f"agent-{self.word}",
            "success": False,
            "error_type": "e",
            "error_message": self.secret,
            "input_text": self.secret,
            "output_text": self.secret,
        }
        said = {"operation_id": self.ids["operation_id"], "comment": self.secret, "rating": 1}
        for path, sent in (("/ai/operations/log", event), ("/ai/feedback/submit", said)):
            answer = await self.admin.post(path, json=sent)
            assert answer.status_code == 202, answer.text

        async def stored() -> bool:
            asked = (
                f"/ai/operations/{self.ids['operation_id']}",
                f"/ai/metrics/{self.ids['model_id']}",
                f"/ai/training-data?model_id={self.ids['model_id']}",
            )
            answers = [await self.admin.get(path) for path in asked]
            return all(one.is_success for one in answers) and bool(answers[2].json()["items"])

        await eventually(stored, why="the operation is stored, counted and read", deadline_s=60)

    async def _made(self, path: str, **sent: Any) -> str:
        answer = await self.admin.post(path, json=sent)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def _rule(self) -> str:
        return await self._made("/ai/alert-rules", name=f"{self.secret}-{uuid4()}", **RULE)

    async def _channel(self) -> str:
        url = f"https://{self.word}.invalid/hook"
        name = f"{self.secret}-{uuid4()}"
        return await self._made("/ai/notification-channels", name=name, type="webhook", url=url)

    async def _silence(self) -> str:
        return await self._made(
            "/ai/silences", matchers={"a": self.secret}, ends_at=FAR, comment=self.secret
        )

    async def _test(self) -> str:
        variants = weighted(a=0.5, b=0.5)
        named = {"key": f"flag-{self.word}-{uuid4()}", "name": self.secret, "variants": variants}
        return await self._made("/ai/ab-tests", **body(**named))

    async def _begun(self) -> str:
        """Let its test run; answers the key by which units are assigned."""
        answer = await self.admin.post(f"/ai/ab-tests/{self.ids['test_id']}/start", json={})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["key"])

    async def _dataset(self) -> str:
        name = f"{self.secret}-{uuid4()}"
        return str(await store_dataset(self.rows, tenant_id=self.name, name=name))

    async def _row(self) -> str:
        named = {"tenant_id": self.name, "model_id": self.ids["model_id"], "output": self.secret}
        return str(await store_training(self.rows, **named))

    async def _queue(self) -> str:
        filters = {"model_id": self.ids["model_id"]}
        asked = {"name": self.secret, "strategy": "random", "reviewers": 10, "filters": filters}
        return await self._made("/ai/review-queues", **asked)

    async def _key(self) -> str:
        return await self._made("/ai/api-keys", name=self.secret, role="agent")

    async def _erasure(self) -> str:
        sent = {"user_id": f"nobody-{uuid4()}"}
        answer = await self.admin.post("/ai/privacy/erasures", json=sent)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def _export(self) -> str:
        asked = {"user_id": f"user-{self.word}"}
        answer = await self.admin.post("/ai/privacy/exports", json=asked)
        assert answer.status_code == 202, answer.text
        export_id = str(answer.json()["id"])

        async def is_ready() -> bool:
            found = await self.admin.get(f"/ai/privacy/exports/{export_id}")
            return found.status_code == 200

        await eventually(is_ready, why="the export is made", deadline_s=60)
        return export_id

    async def _alert(self) -> str:
        identity = uuid4()
        await self.rows(
            """
            INSERT INTO performance_alerts (tenant_id, alert_id, rule_id, rule_name, model_id,
                labels, state, severity, sample, observed_over, reason, step, stepped_at,
                started_at, fired_at)
            VALUES ($1, $2, $3, $4, $5, '{}', 'firing', 'warning', 100, '1h', $4, 1, now(), now(),
                    now())
            """,
            *(self.name, identity, uuid4(), self.secret, self.ids["model_id"]),
        )
        return str(identity)
