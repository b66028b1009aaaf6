"""Secrets of the environment, which may stand in files."""

import os
from pathlib import Path


def secret(name: str) -> str | None:
    """The variable, else what the file holds that `<name>_FILE` names; `OSError` if it cannot."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else os.environ.get(name) or None


def api_key(text: str) -> str:
    """The key as a header may hold it; `ValueError` if it cannot, which does not repeat it."""
    key = text.strip() if isinstance(text, str) else ""
    if not key or not key.isascii() or not key.isprintable():
        raise ValueError("the API key is empty, or has characters that no header may hold")
    return key
