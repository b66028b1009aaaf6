"""An application as others have it: OpenAI's client, an instrumentation, OpenTelemetry's SDK.

`python instrumented.py INSTRUMENTATION EXPORTER CLIENT_URL` calls a model in four ways; where spans
go is said by OpenTelemetry's own environment variables. Ends with 77 where a package is missing.
"""

import sys
from importlib import import_module
from typing import Any

MISSING = 77
INSTRUMENTATIONS = {
    "old": "opentelemetry.instrumentation.openai_v2",
    "new": "opentelemetry.instrumentation.genai.openai",
    "openinference": "openinference.instrumentation.openai",
}
EXPORTERS = {
    "protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "json": "opentelemetry.exporter.otlp.json.http.trace_exporter",
}
QUESTION = [{"role": "user", "content": "What is two and two?"}]
CHAT, BUSY, EMBEDDING = "gpt-4o-mini", "gpt-always-busy", "text-embedding-3-small"


def main(instrumentation: str, exporter: str, url: str) -> None:
    """Set up tracing as the documentation of each part has it, then work."""
    sdk = import_module("opentelemetry.sdk.trace")
    export = import_module("opentelemetry.sdk.trace.export")
    openai = import_module("openai")
    provider = sdk.TracerProvider()
    provider.add_span_processor(
        export.BatchSpanProcessor(import_module(EXPORTERS[exporter]).OTLPSpanExporter())
    )
    module = import_module(INSTRUMENTATIONS[instrumentation])
    module.OpenAIInstrumentor().instrument(tracer_provider=provider)
    work(openai, openai.OpenAI(base_url=url, api_key="none", max_retries=0))
    provider.force_flush()
    provider.shutdown()


def work(openai: Any, client: Any) -> None:
    """A chat, the same as a stream, an embedding, and a call that is refused."""
    client.chat.completions.create(model=CHAT, messages=QUESTION, temperature=0.5, max_tokens=9)
    options = {"include_usage": True}
    for _ in client.chat.completions.create(
        model=CHAT, messages=QUESTION, stream=True, stream_options=options
    ):
        pass
    client.embeddings.create(model=EMBEDDING, input="two and two")
    try:
        client.chat.completions.create(model=BUSY, messages=QUESTION)
    except openai.RateLimitError:
        return
    raise SystemExit("the stub has not refused")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(MISSING)
