"""The demo's A/B test: made and started over HTTP, asked once it has counted everybody."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx2

from assay_sdk import Experiment
from deploy.demo.summary import Summary
from deploy.system import Running

NAME = "demo: does logistic regression read digits better?"
CONTROL, CHALLENGER = "bayes", "logistic"
MODELS = {CONTROL: "digits-bayes", CHALLENGER: "digits-logistic"}
OPERATIONS = "classification"
CONFIG: dict[str, Any] = {
    "name": NAME,
    "hypothesis": "Logistic regression reads more digits right, and takes no longer.",
    "variants": [
        {"key": CONTROL, "model_id": MODELS[CONTROL], "weight": 0.5, "is_control": True},
        {"key": CHALLENGER, "model_id": MODELS[CHALLENGER], "weight": 0.5},
    ],
    "unit": "user_id",
    "filter": {"operation_type": OPERATIONS},
    # All predictions get ground truth as feedback; each call answers, so success says nothing.
    "metrics": [
        {"name": "accurate", "role": "primary", "min_effect": 0.02},
        {"name": "response_time_ms", "role": "guardrail", "margin": 0.1, "relative": True},
    ],
    # All users come within seconds and then go on: no planned end, and no week to wait for.
    "min_units_per_variant": 100,
    "min_runtime_hours": 0,
    # The client keeps the assignment that it begins with.
    "auto_pause": False,
}
GOES_ON = ("running", "paused")
WITHIN_S = 60.0
EVERY_S = 0.3
ACCURACY_DIGITS = 9

OnCounted = Callable[[int], None]


class Arm(NamedTuple):
    """A variant: who was given it, what he was served, and how much of that was right."""

    users: int
    operations: int
    accuracy: float | None


class DemoExperiment:
    """One test of one run."""

    def __init__(self, running: Running) -> None:
        self.test_id = ""
        self.verdict = "COLLECTING"
        self.said = ""
        self.found: dict[str, Arm] = {}
        self.in_two_variants = 0
        self._headers = {"Authorization": f"Bearer {running.admin_key}"}
        self._url = running.gateway_url

    async def begin(self) -> Experiment:
        """Make and start it; answers what the client assigns by."""
        async with self._client() as client:
            await self._end_earlier(client)
            # A key is taken for good, and the demo may run on the same data again.
            config = CONFIG | {"key": f"demo-digits-{time.time_ns()}"}
            self.test_id = str((await _post(client, "/ai/ab-tests", config))["id"])
            await _post(client, f"/ai/ab-tests/{self.test_id}/start", {"note": "the demo begins"})
            tests = (await _get(client, "/ai/assignable-tests"))["items"]
        return Experiment.from_answer(next(one for one in tests if one["id"] == self.test_id))

    async def covers(self, served: Mapping[str, Arm], on_counted: OnCounted) -> None:
        """Wait until its results hold everybody and all that they were served, or too long."""
        give_up_at = time.monotonic() + WITHIN_S
        async with self._client() as client:
            while True:
                self.read(await _get(client, f"/ai/ab-tests/{self.test_id}/results"))
                on_counted(sum(arm.users for arm in self.found.values()))
                if self.found == served or time.monotonic() > give_up_at:
                    return
                await asyncio.sleep(EVERY_S)

    def report(self, summary: Summary, served: Mapping[str, Arm]) -> None:
        """Compare what it counted with what was served, and say what it says."""
        for variant, arm in served.items():
            found = self.found.get(variant)
            summary.expect(f"users, predictions, accuracy of {variant} in the test", arm, found)
        summary.expect("users in two variants", 0, self.in_two_variants)
        summary.experiments = {self.test_id: self.verdict}
        summary.experiments_said = [f"A/B test: {self.verdict}: {self.said}"]

    def read(self, answer: dict[str, Any]) -> None:
        """Take over what the results say."""
        self.verdict, self.said = answer["verdict"], answer["recommendation"]
        self.in_two_variants = answer["multiple_exposures"]["units"]
        self.found = {
            one["key"]: Arm(
                one["units"], one["operations"], rounded(one["metrics"]["accurate"]["value"])
            )
            for one in answer["variants"]
        }

    async def _end_earlier(self, client: httpx2.AsyncClient) -> None:
        """Earlier runs' tests would count this run's predictions too."""
        tests = (await _get(client, "/ai/ab-tests?limit=1000"))["items"]
        for one in tests:
            if one["name"] == NAME and one["state"] in GOES_ON:
                note = {"note": "the demo begins anew"}
                await _post(client, f"/ai/ab-tests/{one['id']}/stop", note)

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self._url, headers=self._headers, timeout=15)


def rounded(share: float | None) -> float | None:
    """Comparable, however it was summed."""
    return None if share is None else round(share, ACCURACY_DIGITS)


async def _get(client: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(path)
    answer.raise_for_status()
    return dict(answer.json())


async def _post(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    answer.raise_for_status()
    return dict(answer.json())
