"""Hooks as operators write them, good and bad."""

import time


def shout(text: str) -> str:
    """A mask that always works."""
    print("a hook that prints")
    return text.replace("Anna", "[NAME]")


def picky(text: str) -> object:
    """Fails in every way that a text names."""
    if "raise" in text:
        raise ValueError(text)
    if "sleep" in text:
        time.sleep(60)
    if "end" in text:
        raise SystemExit(3)
    if "number" in text:
        return 7
    if "nul" in text:
        return "a\0b"
    if "surrogate" in text:
        return "\ud800"
    if "grow" in text:
        return text * 10_000
    return "[HIDDEN]"


def only_marked(text: str) -> str:
    """Hides what is marked, fails on what says so, and leaves the rest."""
    if "raise" in text:
        raise ValueError(text)
    return "[HIDDEN]" if "mark" in text else text
