"""Cookies of the dashboard, and what keeps other sites from using them."""

from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from services.gateway.domain.problems import Problem

SESSION, LOGIN = "assay-session", "assay-login"
FORGERY_HEADER = "X-Assay-CSRF"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE = frozenset({"same-origin", "none"})


def public_url(request: Request) -> str:
    """Where people reach us: as set, else as this request came."""
    set_to: str | None = request.app.state.public_url
    return set_to or f"{request.url.scheme}://{request.url.netloc}"


def presented(request: Request, name: str) -> str | None:
    """A cookie of ours."""
    return request.cookies.get(_named(request, name))


def give(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that no script reads and no other site sends along with a write."""
    response.set_cookie(
        _named(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",
    )
    response.headers["Cache-Control"] = "no-store"


def take(request: Request, response: Response, name: str) -> None:
    """Remove a cookie."""
    give(request, response, name, "", 0)


def refuse_forged(request: Request) -> None:
    """What changes something by a cookie must say so in a header that only our pages can send."""
    if FORGERY_HEADER not in request.headers:
        detail = f"With a session, what changes something needs the header {FORGERY_HEADER}: 1."
        raise Problem("forbidden", detail)
    refuse_other_sites(request)


def refuse_other_sites(request: Request) -> None:
    """Browsers say whose page a request is of."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = urlsplit(public_url(request))
    if (site is not None and site not in OWN_SITE) or (
        origin is not None and origin != f"{ours.scheme}://{ours.netloc}"
    ):
        raise Problem("forbidden", "This was sent by a page of another site.")


def _is_https(request: Request) -> bool:
    return urlsplit(public_url(request)).scheme == "https"


def _named(request: Request, name: str) -> str:
    """`__Host-`: no other host of the same domain can set it; browsers take it by https only."""
    return f"__Host-{name}" if _is_https(request) else name
