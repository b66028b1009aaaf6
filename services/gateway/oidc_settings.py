"""Settings of the identity provider, if there is one."""

from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from services.gateway.domain.permissions import ROLES
from shared.env_settings import EnvSettings

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
TENANT = r"^[a-z0-9_-]{1,64}$"


class OidcSettings(EnvSettings):
    """The identity provider, if there is one. Its issuer turns it on, so it is read last."""

    oidc_audience: str | None = Field(None, description="The `aud` that bearer tokens must have.")
    oidc_client_id: str | None = Field(
        None, description="As whom the provider knows the dashboard; without it, no login there."
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="The client's secret; public clients have none (PKCE is always used)."
    )
    oidc_scopes: str = Field("openid", description="What the dashboard asks the provider for.")
    oidc_algorithms: Annotated[tuple[str, ...], NoDecode] = Field(
        ("RS256", "ES256"), description="Algorithms of signatures that are taken."
    )
    oidc_leeway_s: int = Field(30, ge=0, le=300, description="How far clocks may differ (s).")
    oidc_tenant: str | None = Field(
        None, pattern=TENANT, description="All tokens are of this tenant, whatever they claim."
    )
    oidc_tenant_claim: str = Field("tenant", min_length=1, description="Names the tenant.")
    oidc_tenants: dict[str, Annotated[str, Field(pattern=TENANT)]] = Field(
        default_factory=dict, description="JSON: the claim's value to a tenant; {} = the same."
    )
    oidc_roles_claim: str = Field("roles", min_length=1, description="Names the roles.")
    oidc_roles: dict[str, str] = Field(
        default_factory=dict, description="JSON: the provider's role to ours; {} = the same."
    )
    jwks_url: str | None = Field(
        None, description="Where its keys are; by default as its discovery document says."
    )
    oidc_issuer: str | None = Field(
        None, description="Turns on tokens of an identity provider: the `iss` that they must have."
    )

    @field_validator("oidc_algorithms", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(one.strip() for one in given.split(",") if one.strip())

    @field_validator("oidc_algorithms")
    @classmethod
    def _asymmetric(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        wrong = sorted(set(named) - set(ALGORITHMS))
        if wrong or not named:
            raise ValueError(f"{wrong or 'nothing'} is not among {', '.join(ALGORITHMS)}")
        return named

    @field_validator("oidc_roles")
    @classmethod
    def _ours(cls, named: dict[str, str]) -> dict[str, str]:
        wrong = sorted(set(named.values()) - set(ROLES))
        if wrong:
            raise ValueError(f"there is no role {wrong[0]!r}; roles are {', '.join(ROLES)}")
        return named

    @field_validator("oidc_issuer")
    @classmethod
    def _whole(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        audience, client = info.data.get("oidc_audience"), info.data.get("oidc_client_id")
        if issuer is None and (audience or client or info.data.get("jwks_url")):
            raise ValueError("it is needed with ASSAY_JWKS_URL and the others of the provider")
        if issuer is not None and not (audience or client):
            raise ValueError("it needs ASSAY_OIDC_AUDIENCE, ASSAY_OIDC_CLIENT_ID or both")
        return issuer
