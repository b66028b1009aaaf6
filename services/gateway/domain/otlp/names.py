"""Which attribute fills which field: ours, then `gen_ai.*` from new to old, then others'.

Sources: OpenTelemetry's semantic conventions for GenAI of 2026-08 and before 1.37, OpenInference
0.1.42, OpenLLMetry's and MLflow's own names.
"""

from collections.abc import Mapping
from typing import Final

from services.gateway.domain.otlp.attributes import Names

OWN: Final = "assay."
MODEL: Final[Names] = (
    *("assay.model_id", "gen_ai.response.model", "gen_ai.request.model"),
    *("llm.response.model_name", "llm.model_name", "llm.request.model_name"),
    *("embedding.model_name", "reranker.model_name", "mlflow.llm.model"),
)
# A span that names no model is known by whoever it is of.
ACTOR: Final[Names] = (
    *("gen_ai.agent.name", "gen_ai.agent.id", "agent.name"),
    *("gen_ai.workflow.name", "traceloop.workflow.name"),
    *("gen_ai.tool.name", "tool.name", "gen_ai.data_source.id"),
    *("graph.node.name", "traceloop.entity.name"),
)
LABELS: Final[Mapping[str, Names]] = {
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "agent_id": ("gen_ai.agent.id", "gen_ai.agent.name", "agent.name", "service.name"),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "release": ("service.version",),
    "session_id": ("gen_ai.conversation.id", "session.id"),
    "user_id": ("user.id", "enduser.id"),
    "prompt_version": ("llm.prompt_template.version",),
    "model_version": (),
    "ab_test_id": (),
    "variant": (),
}
TOKENS: Final[Mapping[str, Names]] = {
    "input_tokens": (
        *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        *("llm.token_count.prompt", "llm.usage.prompt_tokens"),
    ),
    "output_tokens": (
        *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        *("llm.token_count.completion", "llm.usage.completion_tokens"),
    ),
    "cached_input_tokens": (
        *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
        *(
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ),
    ),
    "reasoning_tokens": (
        *("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
        "llm.token_count.completion_details.reasoning",
    ),
}
MLFLOW_USAGE: Final[Names] = ("mlflow.chat.tokenUsage",)
COST: Final[Names] = ("assay.cost_usd", "gen_ai.usage.cost", "llm.cost.total")
FIRST_CHUNK_S: Final[Names] = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.server.time_to_first_token",
)
FIRST_CHUNK_EVENT: Final = "First Token Stream Event"  # OpenInference's
# Kept in metadata under their own names; of lists, the values with commas between them.
PARAMETERS: Final[Names] = (
    *("gen_ai.request.model", "gen_ai.response.id", "gen_ai.response.finish_reasons"),
    *("gen_ai.request.temperature", "gen_ai.request.top_p", "gen_ai.request.top_k"),
    *("gen_ai.request.max_tokens", "gen_ai.request.seed", "gen_ai.request.stop_sequences"),
    *("gen_ai.request.frequency_penalty", "gen_ai.request.presence_penalty"),
    *("gen_ai.request.choice.count", "gen_ai.request.stream", "gen_ai.output.type"),
    *("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
    *("gen_ai.agent.name", "gen_ai.agent.version", "gen_ai.workflow.name", "gen_ai.tool.name"),
    *("gen_ai.data_source.id", "llm.finish_reason", "tool.name", "server.address"),
)
KIND: Final[Names] = ("assay.operation_type", "gen_ai.operation.name")
IS_GENAI: Final[Names] = (
    *(*KIND, "assay.model_id", "gen_ai.provider.name", "gen_ai.system"),
    *("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "llm.request.type"),
)
OTHERS_KINDS: Final[Names] = (
    *("openinference.span.kind", "mlflow.spanType"),
    *("llm.request.type", "traceloop.span.kind"),
)
KINDS: Final[Mapping[str, str]] = {
    "llm": "chat",
    "chat_model": "chat",
    "chat": "chat",
    "completion": "text_completion",
    "embedding": "embeddings",
    "retriever": "retrieval",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
    "chain": "invoke_workflow",
    "reranker": "rerank",
    "rerank": "rerank",
    "guardrail": "guardrail",
    "evaluator": "evaluate",
}
"""What others call a kind of span, in small letters; those that are not here are no operations."""
REPEATS: Final = frozenset(
    {
        *("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval"),
        *("guardrail", "evaluate"),
    }
)
"""Operations that call no model themselves: their tokens and cost are those of spans within."""

EVALUATION: Final = "gen_ai.evaluation"
FEEDBACK_NAMESPACES: Final = (
    ("annotations.", "annotation."),
    ("evaluations.", "evaluation."),
)
"""OpenInference's lists of judgements: prefix of the list, prefix within an item."""
INPUT: Final[Names] = (
    *("gen_ai.input.messages", "gen_ai.prompt", "input.value"),
    *("traceloop.entity.input", "mlflow.spanInputs"),
)
OUTPUT: Final[Names] = (
    *("gen_ai.output.messages", "gen_ai.completion", "output.value"),
    *("traceloop.entity.output", "mlflow.spanOutputs"),
)
