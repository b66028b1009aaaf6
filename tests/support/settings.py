"""What each service reads from the environment."""

from pydantic_settings import BaseSettings

from deploy.known_settings import SETTINGS
from shared.env_settings import PREFIX

OF_SERVICE: dict[str, type[BaseSettings]] = {
    one.__name__.removesuffix("Settings").lower(): one for one in SETTINGS
}
# Read without settings: by the runtime before and beside them.
BESIDE = {"SERVICE", "ASSAY_TELEMETRY_HOST"}


def read_by(service: str) -> set[str]:
    """Names of all variables, without `_FILE`."""
    return BESIDE | {f"{PREFIX}{name}".upper() for name in OF_SERVICE[service].model_fields}


def needed_by(service: str) -> set[str]:
    """Names of those that have no default."""
    fields = OF_SERVICE[service].model_fields.items()
    return {f"{PREFIX}{name}".upper() for name, field in fields if field.is_required()}
