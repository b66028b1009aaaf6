"""One call of a model by an agent."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.events.base import (
    MAX_COST_USD,
    MAX_METADATA_KEYS,
    Event,
    LongText,
    Metadata,
    Milliseconds,
    ShortText,
    Tokens,
)


class OperationEvent(Event):
    """An agent called a model, and this is how it went."""

    operation_id: ShortText
    model_id: ShortText
    success: bool
    response_time_ms: Milliseconds = Field(description="Milliseconds, at most seven days.")

    model_version: ShortText | None = None
    provider: ShortText | None = None
    operation_type: ShortText = "chat"
    agent_id: ShortText | None = None
    environment: ShortText = "production"
    release: ShortText | None = None
    trace_id: ShortText | None = None
    parent_operation_id: ShortText | None = None
    session_id: ShortText | None = None
    user_id: ShortText | None = Field(None, description="Stored as a pseudonym only.")
    prompt_version: ShortText | None = None
    time_to_first_token_ms: Milliseconds | None = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cached_input_tokens: Tokens | None = None
    reasoning_tokens: Tokens | None = None
    cost_usd: Annotated[float, Field(ge=0, le=MAX_COST_USD)] | None = Field(
        None, description="US dollars; else from the dated price table; unknown stays null."
    )
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    error_type: ShortText | None = None
    error_message: Annotated[str, StringConstraints(max_length=2048)] | None = None
    input_text: LongText | None = None
    output_text: LongText | None = None
    ab_test_id: ShortText | None = None
    variant: ShortText | None = Field(None, description="What the agent says it served.")
    metadata: Annotated[Metadata, Field(max_length=MAX_METADATA_KEYS)] | None = None
