"""Takes events in: judge each, publish the good ones, answer for every one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from services.gateway.domain.intake import Outgoing, explained, prepare, read_body
from services.gateway.domain.problems import AwayError, Problem
from shared.clock import Clock
from shared.errors import InvalidRecordError
from shared.topics import REGISTER, Topic, TopicSpec, topic_name


class Publish(Protocol):
    """Sends events; returns once the broker has them."""

    async def __call__(
        self,
        spec: TopicSpec,
        topic: str,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
    ) -> None: ...


class Intake:
    """What POST does with events."""

    def __init__(
        self,
        publish: Publish,
        topic_prefix: str,
        now: Clock,
        new_id: Callable[[], UUID],
    ) -> None:
        self._publish = publish
        self._prefix = topic_prefix
        self._now = now
        self._new_id = new_id

    async def take(
        self, kind: Topic, body: bytes, tenant_id: str, trace: Mapping[str, str]
    ) -> dict[str, Any]:
        """Judge, publish, answer."""
        content = read_body(body)
        events = content if isinstance(content, list) else [content]
        spec = REGISTER[kind]
        outgoing: list[Outgoing | None] = []
        errors: list[dict[str, Any]] = []
        for index, event in enumerate(events):
            try:
                outgoing.append(prepare(spec.event, event, tenant_id, self._now(), self._new_id))
            except InvalidRecordError as error:
                outgoing.append(None)
                is_alone = len(events) == 1  # of many, each has one line
                wrong = explained(error, event, spec.event) if is_alone else [(error, error.detail)]
                errors += [_error(index, *one) for one in wrong]
        good = [one for one in outgoing if one is not None]
        if not good:
            raise Problem("invalid", _first(errors, len(events)), errors=errors)
        event_ids = [one.event_id if one else None for one in outgoing]
        await self.send(kind, good, tenant_id, trace, {"event_ids": event_ids})
        return {
            "accepted": len(good),
            "rejected": len(events) - len(good),
            "event_ids": event_ids,
            "errors": errors,
        }

    async def send(
        self,
        kind: Topic,
        events: Sequence[Outgoing],
        tenant_id: str,
        trace: Mapping[str, str],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Return once the broker has all of them; else a problem that also tells `more`."""
        try:
            await self._publish(
                REGISTER[kind], topic_name(kind, self._prefix), events, tenant_id, trace
            )
        except AwayError as error:
            raise Problem(
                "unavailable",
                f"{error}: whether they were stored is unknown. "
                "Retry with the same event_id and occurred_at; repeats are counted once.",
                more=more,
            ) from error


def _error(index: int, error: InvalidRecordError, message: str) -> dict[str, Any]:
    return {
        "index": index,
        "pointer": error.pointer,
        "code": error.reason.value,
        "message": message,
    }


def _first(errors: Sequence[Mapping[str, Any]], events: int) -> str:
    if len(errors) > 1 and events == 1:
        return f"{errors[0]['message']} (errors names {len(errors) - 1} more)"
    if events == 1:
        return str(errors[0]["message"])
    return f"None of the {events} events can be accepted; the first: {errors[0]['message']}"
