"""Every variable that somebody reads: the services, the program, the client and the tests."""

from difflib import get_close_matches

from pydantic_settings import BaseSettings

from services.abtest.settings import AbtestSettings
from services.feedback.settings import FeedbackSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.metrics.settings import MetricsSettings
from services.notify.settings import NotifySettings
from shared.env_settings import PREFIX

SETTINGS: tuple[type[BaseSettings], ...] = (
    AbtestSettings,
    GatewaySettings,
    IngestSettings,
    MetricsSettings,
    NotifySettings,
    FeedbackSettings,
)
ELSEWHERE = {
    *("ASSAY_DATA_DIR", "ASSAY_TENANT", "ASSAY_GATEWAY_URL", "ASSAY_ADMIN_KEY"),
    *("ASSAY_API_KEY", "ASSAY_TENANT_PROOF_KEY", "ASSAY_IMAGE", "ASSAY_SECRETS_DIR"),
    *("ASSAY_TELEMETRY_HOST", "ASSAY_FAULT_POINT", "ASSAY_FAULTS", "ASSAY_SOAK_MINUTES"),
}
"""Read by the program, the client, compose or one service, without a model of settings."""
OF_TESTS = ("ASSAY_TEST_", "ASSAY_FUZZ_", "ASSAY_BENCH_")


def service_settings() -> set[str]:
    """What services read."""
    return {f"{PREFIX}{name}".upper() for each in SETTINGS for name in each.model_fields}


def unknown(names: set[str]) -> dict[str, str | None]:
    """Of these variables those that nobody reads, each with the name that is most like it."""
    known = service_settings() | ELSEWHERE
    found: dict[str, str | None] = {}
    for name in sorted(names):
        is_ours = name.startswith(PREFIX) and not name.startswith(OF_TESTS)
        if is_ours and name.removesuffix("_FILE") not in known and name not in known:
            found[name] = next(iter(get_close_matches(name, known, 1, cutoff=0.85)), None)
    return found
