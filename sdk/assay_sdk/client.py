"""The client that agents hold."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assay_sdk.assigner import DEFAULT, Assigner
from assay_sdk.assignment import Experiment, Variant
from assay_sdk.disk import MOST_BYTES, DiskPlace
from assay_sdk.events import Encoded, Given, Mask, encode
from assay_sdk.exits import AtExit
from assay_sdk.experiments import Experiments, fetching
from assay_sdk.ids import Name
from assay_sdk.operation import Operation
from assay_sdk.outcome import Counters, FlushResult
from assay_sdk.proof import ProofKey
from assay_sdk.reader import Reader
from assay_sdk.secret import api_key as checked_key
from assay_sdk.secret import secret
from assay_sdk.security import security_from_env
from assay_sdk.sender import Hears, Sender
from assay_sdk.tracing import Function, traced
from assay_sdk.transports import HttpTransport, KafkaTransport, Transport

EXIT_FLUSH_S = 2.0
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
        disk_buffer: str | Path | None = None,
        most_disk_bytes: int = MOST_BYTES,
        disk_address: Sequence[str] = (),
        gateway: tuple[str, str] | None = None,
    ) -> None:
        """Take any transport; `Assay.kafka` and `Assay.http` make the usual ones.

        Texts are sent only with `capture_content`. `mask` sees every event's fields before they
        leave; what it answers is sent, `None` or an exception drops the event. With `disk_buffer`,
        a folder, events are written there before they are sent, and sent by the next process if
        this one cannot: by one of the same `disk_address`, which says where to and with which key.
        `gateway`, its URL and an API key, is who `assignment` asks for tests.
        """
        self.counters = Counters()
        self._reader = Reader(self.counters, content=capture_content)
        asked = gateway and Experiments(
            fetching(gateway[0], checked_key(gateway[1])), self.counters
        )

        def record(kind: str, fields: dict[str, Any]) -> None:
            self._record(kind, fields)  # the sender's, which has to hear of the assigner first

        self._assigner = Assigner(record, self.counters, asked or None)
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

        place = disk_buffer and DiskPlace.of(disk_buffer, tenant_id, most_disk_bytes, disk_address)
        self._exit = AtExit(self._at_exit)
        self._sender = Sender(
            transport,
            ready,
            max_buffer,
            self.counters,
            Hears(self._assigner.forget, self._exit.here, self._assigner.begin_anew),
            place or None,
        )
        self._record = self._sender.put

    @classmethod
    def kafka(
        cls,
        bootstrap_servers: str,
        *,
        tenant_id: str,
        topic_prefix: str = "ai.",
        idempotence: bool = True,
        security: dict[str, Any] | None = None,
        proof_key: str | None = None,
        **options: Any,
    ) -> "Assay":
        """Publish straight to Kafka; `security` goes to aiokafka's producer as it is.

        `proof_key` (`assay keys tenant-proof`) proves that events are the tenant's; `ValueError`
        if it is no such key.
        """
        producer = {"enable_idempotence": idempotence, **(security or {})}
        proof = (tenant_id, ProofKey(proof_key)) if proof_key else None
        options = {"disk_address": (bootstrap_servers, topic_prefix), **options}
        return cls(
            lambda: KafkaTransport(bootstrap_servers, topic_prefix, producer, proof),
            tenant_id=tenant_id,
            **options,
        )

    @classmethod
    def http(cls, url: str, api_key: str, **options: Any) -> "Assay":
        """Post to the gateway; the tenant is the key's. `ValueError` if no header may hold it."""
        api_key = checked_key(api_key)
        known = {"tenant_id": "of-the-key", "disk_address": (url, api_key)}
        options = {**known, "gateway": (url, api_key), **options}
        return cls(lambda: HttpTransport(url, api_key), **options)

    @classmethod
    def from_env(cls, **options: Any) -> "Assay":
        """From ASSAY_KAFKA_BOOTSTRAP_SERVERS and ASSAY_TENANT, else the gateway's URL and key.

        Where both are set, events go to Kafka and the gateway is asked for A/B tests.
        """
        env = os.environ
        servers, tenant = env.get("ASSAY_KAFKA_BOOTSTRAP_SERVERS"), env.get("ASSAY_TENANT")
        url, key = env.get("ASSAY_GATEWAY_URL"), secret("ASSAY_API_KEY")
        if servers and tenant:
            idempotence = env.get("ASSAY_KAFKA_IDEMPOTENCE", "true").lower() != "false"
            prefix = env.get("ASSAY_TOPIC_PREFIX", "ai.")
            return cls.kafka(
                servers,
                tenant_id=tenant,
                topic_prefix=prefix,
                idempotence=idempotence,
                **{
                    "proof_key": secret("ASSAY_TENANT_PROOF_KEY"),
                    "security": security_from_env(),
                    "gateway": (url, key) if url and key else None,
                    **options,
                },
            )
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
        known = {**self._common, "model_id": model_id, "success": True, **fields}
        return Operation(self._record, operation_id or Name(), known, self._reader)

    def traced(self, model_id: str, **fields: Any) -> Callable[[Function], Function]:
        """Measure every call of a function: `@assay.traced("gpt-4o-mini")`.

        Plain or async. Of a generator or a provider's stream all of it is measured. An answer in
        a provider's shape tells its tokens; see `Operation.read`.
        """
        return lambda function: traced(lambda: self.operation(model_id, **fields), function)

    def log(self, **fields: Any) -> None:
        """Record an operation that is over: model_id, success and response_time_ms at least."""
        self._record("operations", {**self._common, **fields})

    def feedback(self, operation_id: str, **said: Any) -> None:
        """Record feedback: rating, helpful, accurate, relevant, fast, comment, correction …"""
        self._record("feedback", {"operation_id": operation_id, **said})

    def assignment(
        self,
        experiment: Experiment | str,
        unit_id: str,
        *,
        default: str = "",
        expose: bool = True,
        wait_s: float = 1.0,
    ) -> tuple[Variant, bool]:
        """The unit's variant and whether it takes part, computed here.

        Of a test's key or id the gateway is asked in the background, and only the first call waits
        for it, `wait_s` at most. A test that is not known makes a variant of the `default` model.
        A unit that takes part is recorded as having been shown it, once (again, if that was lost
        on its way), unless `expose` is false or the experiment does not say its `test_id`.
        What can name no unit is treated as none and counted as `unfit_units`: not a text, over 128
        characters, with U+001F, NUL or a lone surrogate.
        """
        if isinstance(experiment, str):
            found = self._assigner.find(experiment, wait_s)
            if found is None:
                return Variant(DEFAULT, 1.0, is_control=True, model_id=default), False
            experiment = found
        return self._assigner.assign(experiment, unit_id, expose=expose)

    async def aassignment(
        self, experiment: Experiment | str, unit_id: str, **options: Any
    ) -> tuple[Variant, bool]:
        """`assignment` for async code: the loop does not wait for the first answer."""
        if isinstance(experiment, str) and self._assigner.is_waiting():
            return await asyncio.to_thread(self.assignment, experiment, unit_id, **options)
        return self.assignment(experiment, unit_id, **options)

    def flush(self, timeout_s: float = 10.0) -> FlushResult:
        """Wait until everything given so far is settled, and say how it went."""
        return self._sender.flush(timeout_s)

    async def aflush(self, timeout_s: float = 10.0) -> FlushResult:
        """`flush` for async code."""
        return await asyncio.to_thread(self._sender.flush, timeout_s)

    def close(self, timeout_s: float = 10.0) -> FlushResult:
        """Flush and stop sending; later events start it again."""
        self._exit.cancel()
        return self._sender.close(timeout_s)

    def _at_exit(self) -> None:
        result = self._sender.close(EXIT_FLUSH_S)
        if not result.complete:
            log.warning(
                "Assay: at exit %d events were not delivered; %d of them are kept on disk",
                result.failed + result.pending,
                result.kept,
            )
