"""Headers that every answer carries, so that browsers make nothing of it that it is not."""

from collections.abc import Iterable, Sequence

Header = tuple[bytes, bytes]

NOTHING_RUNS = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Data, not a page: whoever opens it in a browser runs and loads nothing."""
ALWAYS: Sequence[Header] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
)
UNLESS_SAID: Sequence[Header] = (
    (b"content-security-policy", NOTHING_RUNS),
    (b"cache-control", b"no-store"),
)
"""A page says what it runs, and what may be remembered says for how long."""
HTTPS_ONLY: Header = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def guarded(given: Iterable[Header], *, https: bool) -> list[Header]:
    """An answer's headers with ours; `https` says that the gateway is reached by nothing else."""
    headers = list(given)
    said = {name.lower() for name, _ in headers}
    ours = (*ALWAYS, *UNLESS_SAID, *((HTTPS_ONLY,) if https else ()))
    return headers + [header for header in ours if header[0] not in said]
