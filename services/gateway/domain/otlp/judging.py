"""A whole request: what of it is published, what is refused, and what its sender is told."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.gateway.domain.intake import Outgoing, prepare
from services.gateway.domain.otlp.attributes import Attributes, Values, values
from services.gateway.domain.otlp.content import Keep
from services.gateway.domain.otlp.decoding import Request
from services.gateway.domain.otlp.evaluations import Evaluation, feedback, of_log, on_span
from services.gateway.domain.otlp.ids import operation_id
from services.gateway.domain.otlp.kinds import operation_type
from services.gateway.domain.otlp.refused import RefusedError
from services.gateway.domain.otlp.spans import operation
from services.gateway.domain.problems import Problem
from shared.errors import InvalidRecordError, Reason
from shared.events.base import Event
from shared.events.feedback import FeedbackEvent
from shared.events.operation import OperationEvent

MOST_ITEMS = 20_000
MOST_REASONS = 5
MOST_REASON = 300
NIL = UUID(int=0)  # never used: every event of OTLP brings its id
TEXTS = ("input_text", "output_text")


class Judged(NamedTuple):
    """What becomes of a request."""

    operations: list[Outgoing]
    feedback: list[Outgoing]
    rejected: int
    message: str


class Judge:
    """Judges the spans or log records of one request, of one tenant, at one time."""

    def __init__(self, tenant_id: str, now: datetime, keep: Keep | None) -> None:
        self._tenant_id = tenant_id
        self._now = now
        self._keep = keep
        self._operations: list[Outgoing] = []
        self._feedback: list[Outgoing] = []
        self._rejected = 0
        self._reasons: Counter[str] = Counter()

    def spans(self, request: ExportTraceServiceRequest) -> Judged:
        """Operations of GenAI spans, and feedback of the evaluations on any span."""
        _refuse_too_many(request)
        for resource in request.resource_spans:
            around = values(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    said = Attributes(values(span.attributes), around)
                    self._rejected += not self._taken(self._span, span, said)
                    self._evaluated(span, said)
        return self._all()

    def logs(self, request: ExportLogsServiceRequest) -> Judged:
        """Feedback of the log records that are evaluations."""
        _refuse_too_many(request)
        for resource in request.resource_logs:
            around = values(resource.resource.attributes)
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    self._rejected += not self._taken(self._log, record, around)
        return self._all()

    def _taken(self, take: Callable[..., None], *what: Any) -> bool:
        """Whether it was not refused; why is counted."""
        try:
            take(*what)
        except RefusedError as error:
            self._reasons[str(error)] += 1
        except InvalidRecordError as error:
            self._reasons[error.detail[:MOST_REASON]] += 1
        else:
            return True
        return False

    def _span(self, span: Span, said: Attributes) -> None:
        kind = operation_type(said)
        if kind is None:
            return
        fields = operation(span, said, kind, self._keep)
        try:
            self._operations.append(self._prepared(OperationEvent, fields))
        except InvalidRecordError as error:
            if error.reason is not Reason.TOO_LARGE:
                raise
            lean = {name: value for name, value in fields.items() if name not in TEXTS}
            self._operations.append(self._prepared(OperationEvent, lean))
            said.notes.append("texts are left out: the operation is too large with them")
        self._reasons.update(said.notes)

    def _evaluated(self, span: Span, said: Attributes) -> None:
        """An evaluation that is refused refuses no span, and no other evaluation."""
        for one in on_span(span, said):
            self._taken(self._judged, span, one)

    def _judged(self, where: Span | LogRecord, one: Evaluation) -> None:
        if len(self._feedback) >= MOST_ITEMS:
            raise RefusedError(f"there are more than {MOST_ITEMS} evaluations in the request")
        subject = operation_id(where.trace_id, where.span_id)
        self._feedback.append(self._prepared(FeedbackEvent, feedback(one, subject)))
        self._reasons.update(one.said.notes)

    def _log(self, record: LogRecord, around: Values) -> None:
        said = Attributes(values(record.attributes), around)
        one = of_log(record, said)
        if one is None:
            return
        if not any(record.span_id):
            raise RefusedError("an evaluation needs the trace and span id of what it judges")
        self._judged(record, one)

    def _prepared(self, model: type[Event], fields: dict[str, Any]) -> Outgoing:
        return prepare(model, fields, self._tenant_id, self._now, lambda: NIL)

    def _all(self) -> Judged:
        return Judged(self._operations, self._feedback, self._rejected, self._message())

    def _message(self) -> str:
        told = [f"{why} ({times}x)" for why, times in self._reasons.most_common(MOST_REASONS)]
        more = len(self._reasons) - len(told)
        return "; ".join([*told, *([f"and {more} more reasons"] if more else [])])


def _sizes(request: Request) -> Iterator[int]:
    """How many resources, scopes and items there are, one list at a time."""
    if isinstance(request, ExportTraceServiceRequest):
        yield len(request.resource_spans)
        for spans in request.resource_spans:
            yield len(spans.scope_spans)
            yield from (len(one.spans) for one in spans.scope_spans)
    else:
        yield len(request.resource_logs)
        for logs in request.resource_logs:
            yield len(logs.scope_logs)
            yield from (len(one.log_records) for one in logs.scope_logs)


def _refuse_too_many(request: Request) -> None:
    """A few bytes are enough for a span of nothing: millions would fit a body."""
    count = 0
    for size in _sizes(request):
        count += size
        if count > MOST_ITEMS:
            detail = f"A request holds at most {MOST_ITEMS} spans or log records."
            raise Problem("too-large", detail)
