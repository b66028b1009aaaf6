"""How the gateway says no: RFC 9457 problems with stable types."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

TITLES: Final[Mapping[str, tuple[int, str]]] = {
    "bad-request": (400, "The request cannot be read"),
    "unauthenticated": (401, "No valid credential"),
    "forbidden": (403, "The credential does not permit this"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The path does not answer this method"),
    "idempotency-in-flight": (409, "The first request with this key has not finished"),
    "conflict": (409, "That cannot be done to it as it is now"),
    "too-large": (413, "The body is too large"),
    "uri-too-long": (414, "The path or the query is too long"),
    "unsupported-media-type": (415, "The body is of a kind that is not read here"),
    "invalid": (422, "The request breaks the contract"),
    "idempotency-reuse": (422, "This Idempotency-Key was used for another body"),
    "timeout": (408, "The body did not arrive in time"),
    "too-many-requests": (429, "The tenant asks more often than it may"),
    "headers-too-large": (431, "The headers are too many or too large"),
    "overloaded": (503, "Too much is being taken in at once"),
    "internal": (500, "Something went wrong on our side"),
    "unavailable": (503, "A store behind this answer is away"),
    "too-slow": (503, "The answer took too long"),
}
RETRY_AFTER_S = 5


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is a problem."""

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status, self.title = TITLES[slug]
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        if self.status == TITLES["unavailable"][0]:
            self.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
        if self.status == TITLES["unauthenticated"][0]:
            self.headers.setdefault("WWW-Authenticate", 'Bearer realm="assay"')

    def body(self) -> dict[str, Any]:
        """Members of the problem document."""
        members: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.errors:
            members["errors"] = self.errors
        return members


class AwayError(Exception):
    """A store or the broker does not answer."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(detail or f"{what} does not answer; try again shortly")
        self.what = what


class UnsendableError(AwayError):
    """The broker will never take one of these events, and would perhaps the others."""


class TooManyError(Exception):
    """More rows than can be summed within the statement timeout."""


def at_odds(name: str, other: str, message: str) -> Problem:
    """A 422 of two fields that cannot both be meant."""
    errors = [
        {"pointer": f"/{one}", "code": "invalid_field", "message": message} for one in (name, other)
    ]
    return Problem("invalid", f"{name} and {other}: {message}.", errors=errors)


def wrong_field(name: str, message: str) -> Problem:
    """A 422 of one field; without a name, of all of them together."""
    pointer, said = (f"/{name}", f"{name}: {message}.") if name else ("", f"{message}.")
    error = {"pointer": pointer, "code": "invalid_field", "message": message}
    return Problem("invalid", said, errors=[error])
