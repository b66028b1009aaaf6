"""The environment, read once; of a secret `ASSAY_X`, `ASSAY_X_FILE` may name a file instead."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "ASSAY_"
MOST_BYTES = 64 * 1024


class SecretFileError(Exception):
    """A secret cannot be read; says which setting is wrong, and never its content."""


def secret_of(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The value of a variable, or what the file holds that `<name>_FILE` names."""
    path = environment.get(f"{name}_FILE")
    if not path:
        return environment.get(name)
    if environment.get(name):
        raise SecretFileError(f"{name} and {name}_FILE are both set; keep one")
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES).decode().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SecretFileError(f"{name}_FILE names {path}, which cannot be read: {why}") from error


class SecretFiles(PydanticBaseSettingsSource):
    """Reads every field that is a secret from its file, where one is named."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One field; nothing where it is no secret, or its file is not named."""
        name = f"{PREFIX}{field_name}".upper()
        is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
        named = is_secret and os.environ.get(f"{name}_FILE")
        return (secret_of(name) if named else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All of them."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


class EnvSettings(BaseSettings):
    """Settings whose names begin with `ASSAY_`; each secret may stand in a file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, the files that the environment names, then the environment itself.

        So an empty variable beside a file's name hides no secret; `secret_of` refuses a filled one.
        """
        return init_settings, SecretFiles(settings_cls), env_settings
