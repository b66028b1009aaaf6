"""The client that agents hold."""

import asyncio
import atexit
import functools
import inspect
import logging
import os
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from assay_sdk.assignment import Experiment, Variant, assign, is_unit, placed
from assay_sdk.events import Encoded, Given, Mask, encode
from assay_sdk.ids import uuid7
from assay_sdk.operation import Operation
from assay_sdk.outcome import Counters, FlushResult
from assay_sdk.sender import Sender
from assay_sdk.transports import HttpTransport, KafkaTransport, Transport

P = ParamSpec("P")
R = TypeVar("R")

EXIT_FLUSH_S = 2.0
MOST_SHOWN = 50_000
log = logging.getLogger("assay_sdk")


class Assay:
    """Records operations and feedback. It never raises into the agent and never blocks it."""

    def __init__(  # noqa: PLR0913 - each is a choice of the agent's owner
        self,
        transport: Callable[[], Transport],
        *,
        tenant_id: str,
        agent_id: str | None = None,
        environment: str | None = None,
        release: str | None = None,
        mask: Mask | None = None,
        capture_content: bool = False,
        max_buffer: int = 10_000,
    ) -> None:
        """Take any transport; `Assay.kafka` and `Assay.http` make the usual ones.

        Texts are sent only with `capture_content`. `mask` sees every event's fields before they
        leave; what it answers is sent, `None` or an exception drops the event.
        """
        self.counters = Counters()
        self._shown: set[tuple[str, str, str]] = set()
        self._common = {
            name: value
            for name, value in (
                ("agent_id", agent_id),
                ("environment", environment),
                ("release", release),
            )
            if value is not None
        }

        def ready(given: Given) -> Encoded:
            return encode(given, tenant_id, mask, content=capture_content)

        self._sender = Sender(transport, ready, max_buffer, self.counters, self._forget)
        atexit.register(self._at_exit)

    @classmethod
    def kafka(
        cls,
        bootstrap_servers: str,
        *,
        tenant_id: str,
        topic_prefix: str = "ai.",
        idempotence: bool = True,
        security: dict[str, Any] | None = None,
        **options: Any,
    ) -> "Assay":
        """Publish straight to Kafka; `security` goes to aiokafka's producer as it is."""
        producer = {"enable_idempotence": idempotence, **(security or {})}
        return cls(
            lambda: KafkaTransport(bootstrap_servers, topic_prefix, producer),
            tenant_id=tenant_id,
            **options,
        )

    @classmethod
    def http(cls, url: str, api_key: str, **options: Any) -> "Assay":
        """Post to the gateway; the tenant is the key's."""
        return cls(lambda: HttpTransport(url, api_key), tenant_id="of-the-key", **options)

    @classmethod
    def from_env(cls, **options: Any) -> "Assay":
        """From ASSAY_KAFKA_BOOTSTRAP_SERVERS and ASSAY_TENANT, else the gateway's URL and key."""
        env = os.environ
        servers, tenant = env.get("ASSAY_KAFKA_BOOTSTRAP_SERVERS"), env.get("ASSAY_TENANT")
        if servers and tenant:
            idempotence = env.get("ASSAY_KAFKA_IDEMPOTENCE", "true").lower() != "false"
            prefix = env.get("ASSAY_TOPIC_PREFIX", "ai.")
            return cls.kafka(
                servers,
                tenant_id=tenant,
                topic_prefix=prefix,
                idempotence=idempotence,
                **options,
            )
        url, key = env.get("ASSAY_GATEWAY_URL"), env.get("ASSAY_API_KEY")
        if url and key:
            return cls.http(url, key, **options)
        raise ValueError(
            "set ASSAY_KAFKA_BOOTSTRAP_SERVERS and ASSAY_TENANT, "
            "or ASSAY_GATEWAY_URL and ASSAY_API_KEY"
        )

    def operation(
        self, model_id: str, *, operation_id: str | None = None, **fields: Any
    ) -> Operation:
        """Measure a call: `with assay.operation("gpt-4o-mini", user_id=…) as operation: …`."""
        name = operation_id or str(uuid7())
        known = {**self._common, "operation_id": name, "model_id": model_id, "success": True}
        return Operation(self._record, name, known | fields)

    def traced(self, model_id: str, **fields: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Measure every call of a function, plain or async: `@assay.traced("gpt-4o-mini")`."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def measured_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                    async with self.operation(model_id, **fields):
                        return await function(*args, **kwargs)

                return measured_async  # type: ignore[return-value]

            @functools.wraps(function)
            def measured(*args: P.args, **kwargs: P.kwargs) -> R:
                with self.operation(model_id, **fields):
                    return function(*args, **kwargs)

            return measured

        return decorate

    def log(self, **fields: Any) -> None:
        """Record an operation that is over: model_id, success and response_time_ms at least."""
        self._record("operations", {"operation_id": str(uuid7()), **self._common, **fields})

    def feedback(self, operation_id: str, **said: Any) -> None:
        """Record feedback: rating, helpful, accurate, relevant, fast, comment, correction …"""
        self._record("feedback", {"operation_id": operation_id, **said})

    def assignment(
        self, experiment: Experiment, unit_id: str, *, expose: bool = True
    ) -> tuple[Variant, bool]:
        """The unit's variant and whether it takes part, computed here.

        A unit that takes part is recorded as having been shown it, once (again, if that was lost
        on its way), unless `expose` is false or the experiment does not say its `test_id`.
        What can name no unit is treated as none and counted as `unfit_units`: not a text, over 128
        characters, with U+001F, NUL or a lone surrogate.
        """
        if not is_unit(unit_id):
            self.counters.add("unfit_units")
            unit_id = ""
        variant, takes_part = assign(experiment, unit_id)
        if expose and takes_part and experiment.test_id:
            self._expose(experiment, experiment.test_id, unit_id, variant.key)
        return variant, takes_part

    def flush(self, timeout_s: float = 10.0) -> FlushResult:
        """Wait until everything given so far is settled, and say how it went."""
        return self._sender.flush(timeout_s)

    async def aflush(self, timeout_s: float = 10.0) -> FlushResult:
        """`flush` for async code."""
        return await asyncio.to_thread(self._sender.flush, timeout_s)

    def close(self, timeout_s: float = 10.0) -> FlushResult:
        """Flush and stop sending; later events start it again."""
        atexit.unregister(self._at_exit)
        return self._sender.close(timeout_s)

    def _expose(self, experiment: Experiment, test_id: str, unit_id: str, variant: str) -> None:
        shown = (test_id, unit_id, variant)
        if shown in self._shown:
            return
        if len(self._shown) >= MOST_SHOWN:
            self._shown.clear()  # a unit that is told of again still counts once
        self._shown.add(shown)
        at = placed(experiment, unit_id)
        said = {"test_id": test_id, "unit_id": unit_id, "variant": variant}
        self._record("exposures", said | {"epoch": at and at[1]})

    def _forget(self, lost: Given) -> None:
        """An exposure that nobody will hear of is to be told at the unit's next evaluation."""
        if lost.kind == "exposures":
            said = lost.fields
            self._shown.discard((said["test_id"], said["unit_id"], said["variant"]))

    def _record(self, kind: str, fields: dict[str, Any]) -> None:
        self._sender.put(Given(kind, uuid7(), time.time_ns(), dict(fields)))

    def _at_exit(self) -> None:
        result = self._sender.close(EXIT_FLUSH_S)
        if not result.complete:
            log.warning(
                "Assay: at exit %d events were not delivered", result.failed + result.pending
            )
