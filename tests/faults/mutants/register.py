"""The register of bugs that we know to make."""

from collections.abc import Callable

Patch = Callable[[], None]
MUTANTS: dict[str, Patch] = {"none": lambda: None}


def mutant(patch: Patch) -> Patch:
    """Register a bug under its function's name."""
    MUTANTS[patch.__name__] = patch
    return patch
