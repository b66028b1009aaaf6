"""An open page of the dashboard without a browser: what one would ask for, when it would.

What a page loads and follows is read from its HTML (`data-live`, `hx-get`, `hx-trigger`); how it
follows is what static/live.js does while the page is seen. `likeness.py` compares both. Pages are
`no-store` and files are loaded once, so nothing is asked for conditionally.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx2

from benchmarks.markup import Markup, Part

REFRESH_S, POLL_S, SILENT_S, COME_BACK_S = 3.0, 15.0, 60.0, 3.0
WITHIN_S = 60.0
"""An answer: the gateway ends its own after 45 s, a browser waits for longer."""
KINDS = frozenset({"metrics", "alert", "verdict"})
CHANGED_BY = {kind: frozenset({kind}) for kind in KINDS} | {"ready": KINDS, "gone": KINDS}
"""What an event says of: a stream that begins may have missed anything."""
BY_HTMX = {"HX-Request": "true", "Accept": "*/*"}


class OpenPage:
    """One that somebody looks at.

    `asked` counts its requests by path, but for the login; `refused` those that were not answered
    as a page wants it.
    """

    def __init__(self, url: str, key: str, path: str) -> None:
        self.asked: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.is_live = asyncio.Event()
        """It follows a stream, or has none to follow."""
        self.is_loaded = asyncio.Event()
        """All that it loads at first was answered."""
        self._url, self._key, self._path = url, key, path
        self._changed: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._followers: list[Part] = []
        self._under_way: set[Part] = set()
        self._waiting: set[Part] = set()
        self._client: httpx2.AsyncClient
        self._tasks: asyncio.TaskGroup

    async def stay(self) -> None:
        """Log in, open it, and follow what changes until cancelled."""
        async with httpx2.AsyncClient(base_url=self._url, timeout=WITHIN_S) as self._client:
            login = await self._client.post("/auth/session", json={"key": self._key})
            login.raise_for_status()
            text = await self._get(self._path, {"Accept": "text/html"})
            if text is None:
                raise RuntimeError(f"{self._path} could not be opened")
            page = Markup(text)
            self._followers = [part for part in page.parts if part.kinds]
            try:
                async with asyncio.TaskGroup() as self._tasks:
                    self._begin(page)
            finally:
                if self._timer:
                    self._timer.cancel()

    def _begin(self, page: Markup) -> None:
        self._spawn(self._load(page))
        for part in page.parts:
            if part.every_s:
                self._spawn(self._look(part, part.every_s))
        if self._followers:
            self._spawn(self._listen(page.model))
        else:
            self.is_live.set()

    async def _load(self, page: Markup) -> None:
        files = (self._get(file, {}) for file in page.files)
        parts = (self._ask(part) for part in page.parts if "load" in part.triggers)
        await asyncio.gather(*files, *parts)
        self.is_loaded.set()

    def _spawn(self, what: Coroutine[Any, Any, Any]) -> None:
        self._tasks.create_task(what)

    async def _get(self, url: str, headers: dict[str, str]) -> str | None:
        """The text of an answer; `None` for a refusal, which a page shows and goes on."""
        self.asked[urljoin("/", url.partition("?")[0])] += 1
        with contextlib.suppress(httpx2.TransportError):
            answer = await self._client.get(url, headers=headers)
            if "etag" in answer.headers:
                raise RuntimeError(f"{url} has an ETag: a browser would ask with If-None-Match")
            if answer.status_code == httpx2.codes.OK:
                return answer.text
        self.refused[url] += 1
        return None

    async def _ask(self, part: Part) -> None:
        """One request of a part at a time, then one more if it was to ask meanwhile, as by htmx."""
        if part in self._under_way:
            self._waiting.add(part)
            return
        self._under_way.add(part)
        said = await self._get(part.url, BY_HTMX | {"HX-Current-URL": self._url + self._path})
        self._under_way.discard(part)
        if said is None and part.kinds:
            self._spawn(self._try_again())
        if part in self._waiting:
            self._waiting.discard(part)
            await self._ask(part)

    async def _try_again(self) -> None:
        await asyncio.sleep(POLL_S)
        self._note(KINDS)

    async def _look(self, part: Part, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            if part.is_replaced:
                await self._ask(part)
            else:
                self._spawn(self._ask(part))

    async def _listen(self, model: str | None) -> None:
        """As an EventSource: it comes back after each end, and looks by itself once refused."""
        url = "/ai/stream" + (f"?{urlencode({'model_id': model})}" if model else "")
        while True:
            self.asked["/ai/stream"] += 1
            is_refused = False
            with contextlib.suppress(httpx2.TransportError, TimeoutError):
                is_refused = not await self._hear(url)
            await asyncio.sleep(POLL_S if is_refused else COME_BACK_S)
            if is_refused:
                self._note(KINDS)

    async def _hear(self, url: str) -> bool:
        """Follow one stream to its end; answers whether there was one."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        async with (
            asyncio.timeout(SILENT_S) as patience,
            self._client.stream("GET", url, headers=headers, timeout=None) as answer,
        ):
            if answer.status_code != httpx2.codes.OK:
                self.refused[url] += 1
                return False
            is_ready = False
            async for line in answer.aiter_lines():
                field, _, name = line.partition(": ")
                if field != "event":
                    continue
                patience.reschedule(asyncio.get_running_loop().time() + SILENT_S)
                is_ready = is_ready or name == "ready"
                if is_ready:
                    self.is_live.set()
                    self._note(CHANGED_BY.get(name, frozenset()))
        return True

    def _note(self, kinds: frozenset[str]) -> None:
        self._changed |= kinds
        if kinds and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REFRESH_S, self._refresh)

    def _refresh(self) -> None:
        self._timer = None
        for part in self._followers:
            if part.kinds & self._changed:
                self._spawn(self._ask(part))
        self._changed.clear()


async def opened(page: OpenPage, within_s: float) -> asyncio.Future[None]:
    """Open a page; returns, once it follows, what is to be cancelled to close it."""
    staying = asyncio.ensure_future(page.stay())
    following = asyncio.ensure_future(page.is_live.wait())
    await asyncio.wait({staying, following}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    following.cancel()
    if staying.done():
        staying.result()
    if not page.is_live.is_set():
        staying.cancel()
        raise TimeoutError(f"a page does not follow within {within_s} s")
    return staying
