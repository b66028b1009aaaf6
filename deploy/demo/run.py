"""The demo: serve, replay, wait until all is counted, compare."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from assay_sdk import Assay
from deploy.demo.alarm import Alarm
from deploy.demo.audit import Auditor, Books, Sums
from deploy.demo.digits import Digits, Served
from deploy.demo.experiment import CONTROL, MODELS, Arm, DemoExperiment
from deploy.demo.freshness import FreshnessProbe
from deploy.demo.summary import Summary, differences, grown
from deploy.demo.trace import Totals, read_trace, replay
from deploy.demo.training import DemoTraining, Rows
from deploy.system import Running

BUFFER = 200_000
ENOUGH_FOR_AN_ALARM = 10_000
SETTLE_DEADLINE_S = 120
CHECK_EVERY_S = 0.3
VIEWS_FOLLOW_S = 2.0


class Demo:
    """One run against a running system."""

    def __init__(self, running: Running, console: Console) -> None:
        self._running = running
        self._console = console
        self._auditor = Auditor(running)
        self._alarm = Alarm(running)
        self._experiment = DemoExperiment(running)
        self._training = DemoTraining(running)
        self._arms: dict[str, Arm] = {}

    async def run(self, predictions: int, traces: list[Path]) -> Summary:
        """Do the work and compare; raises only if the work itself cannot be done."""
        summary = Summary()
        before = await self._auditor.books()
        await self._alarm.install()
        await self._training.begin()
        started = time.perf_counter()
        probe = FreshnessProbe(self._running)
        probing = asyncio.ensure_future(probe.run())
        expected = await self._work(predictions, traces, summary)
        await probe.stop(probing)
        expected[probe.model_id] = {"n": probe.sent}
        with self._console.status("counting …"):
            behind = await self._settled(expected, before)
        worked_s = time.perf_counter() - started - self._alarm.waited_s
        summary.seconds = round(worked_s, 2)
        summary.expect("partitions not consumed to their end", {}, behind)
        summary.published += probe.sent
        summary.accepted += probe.sent
        await self._compare(summary, expected, before)
        await self._judge(summary)
        await self._learn(summary)
        summary.events_per_second = round(summary.published / summary.seconds, 1)
        summary.freshness_p50_ms, summary.freshness_p99_ms = probe.percentiles()
        return summary

    async def _work(self, predictions: int, traces: list[Path], summary: Summary) -> Sums:
        """Serve digits and replay traces through one client; answers what to expect."""
        digits = await asyncio.to_thread(Digits)
        experiment = await self._experiment.begin()
        calls = {f"trace-{path.stem}": read_trace(path) for path in traces}
        assay = self._client()
        columns = (TextColumn("  {task.description:<18}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console) as progress:

            def bar(name: str, total: int) -> Callable[[int], None]:
                task = progress.add_task(name, total=total)
                return lambda done: progress.update(task, completed=done)

            jobs: list[Any] = [
                asyncio.to_thread(
                    digits.serve,
                    assay,
                    experiment,
                    predictions,
                    bar("predictions", predictions),
                    self._on_phase(predictions),
                )
            ]
            now = datetime.now(UTC)
            for model, lines in calls.items():
                jobs.append(
                    asyncio.to_thread(replay, assay, model, lines, now, bar(model, len(lines)))
                )
            served, *totals = await asyncio.gather(*jobs)
        result = await asyncio.to_thread(assay.close, 60.0)
        expected = _expected(served, dict(zip(calls, totals, strict=True)))
        self._arms = served.arms
        exposures = sum(arm.users for arm in served.arms.values())
        counted = sum(one.get("n", 0) + one.get("f_n", 0) for one in expected.values())
        summary.published = counted + exposures
        summary.accepted = assay.counters.sent
        summary.accuracy = served.accuracy
        summary.expect(
            "events not delivered by the client", (0, 0), (result.failed, result.pending)
        )
        summary.expect("acknowledged events", summary.published, summary.accepted)
        return expected

    async def _compare(self, summary: Summary, expected: Sums, before: Books) -> None:
        after = await self._auditor.books()
        found = grown(before, after)
        for difference in differences(expected, found):
            summary.expect(*difference)
        summary.expect("dead letters", 0, found.dead_letters)
        summary.expect("duplicates", 0, found.duplicates)
        summary.models = {name: found.redis.get(name, {}) for name in expected}
        summary.dead_lettered, summary.duplicates = found.dead_letters, found.duplicates
        summary.alerts_fired = found.alerts_fired
        summary.alerts_resolved = found.alerts_resolved
        summary.alerts = self._alarm.said
        is_first = not any(before.redis.get(model, {}).get("n") for model in MODELS.values())
        if is_first and found.postgres[MODELS[CONTROL]]["n"] * 2 >= ENOUGH_FOR_AN_ALARM * 0.9:
            summary.expect("alerts in the degraded phase", 1, min(1, self._alarm.fired))
        if self._alarm.fired:
            summary.expect("alerts of the demo that ended", self._alarm.fired, self._alarm.resolved)
        summary.postgres_operations = sum(one.get("n", 0) for one in found.postgres.values())
        summary.redis_operations = sum(one.get("n", 0) for one in found.redis.values())
        summary.feedback = sum(one.get("f_n", 0) for one in found.postgres.values())
        for model in expected:
            held = after.redis[model]["n"]
            shown = (await self._auditor.shown(model, "7d")).get("sample")
            summary.expect(f"operations of {model} at the gateway", held, shown)

    async def _judge(self, summary: Summary) -> None:
        """Ask the experiment, once it has counted everybody."""
        users = sum(arm.users for arm in self._arms.values())
        with self._console.status("experiment …") as status:
            await self._experiment.covers(
                self._arms,
                lambda counted: status.update(f"experiment: {counted} of {users} users counted …"),
            )
        self._experiment.report(summary, self._arms)

    async def _learn(self, summary: Summary) -> None:
        """Ground truth became feedback, feedback becomes rows."""
        served = sum(arm.operations for arm in self._arms.values())
        right = sum(round((arm.accuracy or 0) * arm.operations) for arm in self._arms.values())
        expected = Rows(served, served - right)
        with self._console.status("training rows …"):
            await self._training.covers(expected)
        await self._training.report(summary, expected)

    def _on_phase(self, predictions: int) -> Callable[[str], None]:
        """From the serving thread: wait for the alarm where it has enough to go by."""
        loop = asyncio.get_running_loop()
        waits = {"noisy": self._alarm.fires, "recovered": self._alarm.ends}

        def on_phase(phase: str) -> None:
            if phase in waits and predictions >= ENOUGH_FOR_AN_ALARM:
                asyncio.run_coroutine_threadsafe(waits[phase](), loop).result()

        return on_phase

    async def _settled(self, expected: Sums, before: Books) -> dict[str, str]:
        """Wait until both consumers have read everything and the stores hold it, or too long."""
        give_up_at = time.monotonic() + SETTLE_DEADLINE_S
        while time.monotonic() < give_up_at:
            behind = await self._auditor.behind()
            found = grown(before, await self._auditor.books())
            if not behind and not differences(expected, found):
                break
            await asyncio.sleep(CHECK_EVERY_S)
        await asyncio.sleep(VIEWS_FOLLOW_S)
        return behind

    def _client(self) -> Assay:
        return Assay.kafka(
            self._running.addresses.kafka_bootstrap_servers,
            tenant_id=self._running.tenant,
            topic_prefix=self._running.topic_prefix,
            idempotence=self._running.idempotence,
            security={**self._running.addresses.kafka},
            proof_key=self._running.proof_key,
            agent_id="demo",
            capture_content=True,  # images of digits
            max_buffer=BUFFER,
        )


def _expected(served: Served, traces: dict[str, Totals]) -> Sums:
    expected: Sums = {
        model: {"n": count, "f_n": served.feedback[model]}
        for model, count in served.operations.items()
    }
    for model, totals in traces.items():
        expected[model] = {
            "n": totals.operations,
            "tin": totals.input_tokens,
            "tout": totals.output_tokens,
        }
    return expected
