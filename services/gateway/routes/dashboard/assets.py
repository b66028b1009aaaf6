"""Scripts and styles of the dashboard, by their hashes: what has a new hash has a new address."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.domain.problems import Problem
from services.gateway.routes.access import PUBLIC

FOLDER: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """One file."""

    path: str
    content: bytes
    media_type: str


def read_assets() -> dict[str, Asset]:
    """All files that pages may load, by name."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in TYPES:
            content = file.read_bytes()
            path = f"/assets/{sha256(content).hexdigest()[:16]}/{file.name}"
            found[file.name] = Asset(path, content, TYPES[file.suffix])
    return found


def asset_routes() -> APIRouter:
    """The route of these files; they hold nothing of anybody."""
    router = APIRouter(include_in_schema=False)

    @router.get("/assets/{digest}/{name}", openapi_extra=PUBLIC)
    async def asset(request: Request, digest: str, name: str) -> Response:
        known: Mapping[str, Asset] = request.app.state.pages.assets
        found = known.get(name)
        if found is None or found.path != f"/assets/{digest}/{name}":
            raise Problem("not-found", "There is no such file; load the page anew.")
        headers = {"Cache-Control": FOR_EVER}
        return Response(found.content, media_type=found.media_type, headers=headers)

    return router
