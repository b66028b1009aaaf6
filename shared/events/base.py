"""What all events have in common."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MAX_EVENT_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_METADATA_KEYS = 32
MAX_METADATA_BYTES = 8 * 1024
MAX_TEXT_BYTES = 32 * 1024
MAX_COMMENT_BYTES = 8 * 1024
# Sums over a cell are 64-bit: these bounds keep ten million events in one cell from overflowing.
MAX_RESPONSE_TIME_MS = 604_800_000  # seven days
MAX_TOKENS = 2**31 - 1
MAX_COST_USD = 10_000

TENANT_ID = r"^[a-z0-9_-]{1,64}$"
TenantId = Annotated[str, StringConstraints(pattern=TENANT_ID)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Label = ShortText
Tokens = Annotated[int, Field(ge=0, le=MAX_TOKENS)]
Milliseconds = Annotated[float, Field(ge=0, le=MAX_RESPONSE_TIME_MS)]
# Strict types exclude each other, so the first that fits is the only one: no need to try all.
MetadataValue: TypeAlias = Annotated[str | bool | int | float, Field(union_mode="left_to_right")]
Metadata = dict[str, MetadataValue]


def _not_over(limit: int) -> BeforeValidator:
    """Bound a text by its UTF-8 bytes, which is what the stores pay for."""

    def check(value: object) -> object:
        if isinstance(value, str) and len(value) * 4 > limit and len(value.encode()) > limit:
            raise ValueError(f"is longer than {limit} bytes")
        return value

    return BeforeValidator(check)


LongText = Annotated[str, _not_over(MAX_TEXT_BYTES)]
Comment = Annotated[str, _not_over(MAX_COMMENT_BYTES)]


class Event(BaseModel):
    """A fact with an identity: (`tenant_id`, `event_id`, `occurred_at` in microseconds)."""

    # Strict: "0.5" is not a number. Unknown fields are kept out, never a reason to refuse.
    # Most texts are said once: only keys are worth a look into the cache of strings.
    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        cache_strings="keys",
    )

    event_id: UUID = Field(description="Unchanged on retry; UUIDv7 from our own producers.")
    tenant_id: TenantId
    occurred_at: AwareDatetime = Field(description="RFC 3339 with offset.")
    schema_version: Literal[1] = 1

    @property
    def identity(self) -> tuple[str, UUID, datetime]:
        """Two records with the same identity are one event."""
        return self.tenant_id, self.event_id, self.occurred_at
