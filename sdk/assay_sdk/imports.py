"""Imports that the sender's thread makes, and that no fork may come amid.

A child inherits a module's lock as it is: half way through an import it would wait for ever for a
thread that it does not have.
"""

import importlib
import os
import threading
from collections.abc import Callable

WAIT_S = 10.0
"""At most: who forks amid an import of its own may be what the import waits for."""
_importing = threading.RLock()
_held: list[bool] = []


def load(*names: str) -> None:
    """Import them; a fork waits meanwhile."""
    with _importing:
        for name in names:
            importlib.import_module(name)


def unforked(act: Callable[[], object]) -> None:
    """Do what holds locks that no child could release; a fork waits meanwhile."""
    with _importing:
        act()


def _before() -> None:
    _held.append(_importing.acquire(timeout=WAIT_S))


def _after() -> None:
    if _held.pop():
        _importing.release()


def _after_in_child() -> None:
    global _importing  # noqa: PLW0603 - the lock is the process's
    _held.clear()
    _importing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
