"""The document of all routes for people to read, at /docs."""

import re
from base64 import b64encode
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import Response

from services.gateway.routes.access import PUBLIC

INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
SOURCE = "https://cdn.jsdelivr.net"
ICON = "data:,"


def page_routes() -> APIRouter:
    """Routes of pages; they are not part of the API."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs", openapi_extra=PUBLIC)
    async def docs(request: Request) -> Response:
        app = request.app
        page = get_swagger_ui_html(
            openapi_url=app.openapi_url, title=app.title, swagger_favicon_url=ICON
        )
        page.headers["Content-Security-Policy"] = policy(bytes(page.body))
        # What the page loads from elsewhere says nothing of who may embed it.
        page.headers["Cross-Origin-Embedder-Policy"] = "unsafe-none"
        return page

    return router


def policy(page: bytes) -> str:
    """What a page may run: the scripts that stand in it, by their hashes, and Swagger's own."""
    hashes = [b64encode(sha256(script).digest()).decode() for script in INLINE.findall(page)]
    scripts = " ".join([SOURCE, *(f"'sha256-{one}'" for one in hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src {SOURCE} 'unsafe-inline'; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
