"""The process in which an operator's hook runs: a line of JSON in, a line of JSON out.

`module:function` or `/path/file.py:function`, text to text. Whatever it prints goes to stderr.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from pydantic_core import from_json, to_json

MOST_GROWTH = 4
"""A mask makes no text so many times longer."""
LEAST_LENGTH = 1_024


def main() -> None:
    """Answer until nobody asks."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    try:
        hook = _loaded(sys.argv[1])
    except Exception as error:
        _say(answers, {"error": f"{sys.argv[1]}: {type(error).__name__}: {error}"})
        return
    _say(answers, {"is": "ready"})
    for line in sys.stdin.buffer:
        _say(answers, {"text": _hidden(hook, from_json(line)["text"])})


def _hidden(hook: Callable[[str], Any], text: str) -> str | None:
    try:
        found = hook(text)
        if not isinstance(found, str) or "\0" in found:
            return None
        found.encode()
    except Exception:  # its words may hold the text
        return None
    return found if len(found) <= max(LEAST_LENGTH, MOST_GROWTH * len(text)) else None


def _loaded(where: str) -> Callable[[str], Any]:
    place, _, name = where.rpartition(":")
    if not (place and name):
        raise ValueError("write package.module:function, /path/file.py:function or builtin")
    hook: Callable[[str], Any] = getattr(_module(place), name)
    if not callable(hook):
        raise TypeError("it cannot be called")
    return hook


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return import_module(place)
    path = Path(place)
    spec = spec_from_file_location(f"assay_mask_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not Python")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _say(answers: BinaryIO, what: dict[str, Any]) -> None:
    answers.write(to_json(what) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
