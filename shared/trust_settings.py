"""Whose word on a record's tenant is taken, and the keys that prove it."""

from functools import cached_property
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.distrust import Distrust
from shared.env_settings import EnvSettings
from shared.proof import Proofs, master_keys


class TrustSettings(EnvSettings):
    """Whose word on a record's tenant is taken."""

    event_trust: Literal["open", "signed"] = Field(
        "open",
        description="open: whoever may write to the topics may name any tenant; signed: only "
        "records are taken that prove their tenant.",
    )
    event_master_key: SecretStr | None = Field(
        None,
        description="Proves tenants: `version:secret`, at least 32 characters; several separated "
        "by white space: the first signs, all are known.",
    )

    @field_validator("event_master_key")
    @classmethod
    def _can_be_used(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            master_keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.event_trust == "signed" and self.event_master_key is None:
            raise ValueError(
                "ASSAY_EVENT_TRUST is signed, which needs ASSAY_EVENT_MASTER_KEY or "
                "ASSAY_EVENT_MASTER_KEY_FILE"
            )
        return self

    @cached_property
    def signer(self) -> Proofs | None:
        """Signs what we publish; also while trust is open, so that it can be closed later."""
        if self.event_master_key is None:
            return None
        return Proofs(master_keys(self.event_master_key.get_secret_value()))

    @cached_property
    def verifier(self) -> Proofs | None:
        """Judges what we consume, and says aloud what it refuses; `None` while trust is open."""
        if self.event_trust == "open" or self.event_master_key is None:
            return None
        return Proofs(master_keys(self.event_master_key.get_secret_value()), Distrust())

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the master keys, by version."""
        return self.signer.fingerprints() if self.signer else {}
