"""The OpenFeature Remote Evaluation Protocol: A/B tests as flags, a variant's model as value."""

from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from services.gateway.domain.assigning import Evaluation


class OfrepBody(BaseModel):
    """What the OpenFeature Remote Evaluation Protocol sends."""

    model_config = ConfigDict(extra="ignore")

    context: dict[str, Any] = {}


class OfrepFlag(BaseModel):
    """One evaluated flag; without `value` the caller's own default holds."""

    key: str
    reason: Literal["SPLIT", "STATIC", "DEFAULT", "DISABLED"]
    variant: str = Field(description="Empty where there is no value.")
    value: str | None = Field(None, description="The variant's model_id.")
    metadata: dict[str, str | int | bool]


class OfrepFailure(RootModel[dict[str, str]]):
    """`errorCode`, `errorDetails` and, of a single flag, its `key`."""


class OfrepFlags(BaseModel):
    """All flags of a unit."""

    flags: list[OfrepFlag | OfrepFailure]


class OfrepError(Exception):
    """An evaluation that OFREP has a code for."""

    def __init__(self, status: int, code: str, details: str) -> None:
        super().__init__(details)
        self.status = status
        self.code = code

    def body(self, key: str | None) -> dict[str, str]:
        """As OFREP says it; `key` is that of a single flag."""
        said = {"errorCode": self.code, "errorDetails": str(self)}
        return said if key is None else {"key": key, **said}


def flag_view(found: Evaluation) -> dict[str, Any]:
    """As OFREP answers it: a unit outside gets no value, so the caller's own default holds."""
    metadata: dict[str, Any] = {"test_id": str(found.test.test_id), "in_test": found.in_test}
    flag: dict[str, Any] = {"key": found.test.config.key}
    if found.in_test:
        served, metadata["epoch"] = "SPLIT", found.epoch
    elif found.test.served_after:
        served = "STATIC"
    else:
        why = "DEFAULT" if found.reason in {"outside", "no_unit"} else "DISABLED"
        metadata["why"] = found.reason
        # The provider for Python (0.3.0) fails where `variant` is missing; the protocol wants text.
        return flag | {"reason": why, "variant": "", "metadata": metadata}
    shown = {"variant": found.variant, "value": found.model_id}
    return flag | {"reason": served, **shown, "metadata": metadata}


def entity_tag(content: bytes) -> str:
    """A strong ETag of an answer."""
    return f'"{blake2b(content, digest_size=16).hexdigest()}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether a caller's If-None-Match says that it has this answer already."""
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in known or "*" in known
