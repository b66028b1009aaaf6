"""The gateway's A/B tests, known here: asked for in the background, never on the way of a call."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from assay_sdk.assignment import Experiment
from assay_sdk.outcome import Counters

PATH = "/ai/assignable-tests"
FRESH_S = 10.0
RETRY_S = 5.0
MOST_STALE_S = 600.0
"""As long as the gateway itself answers without its store."""
TIMEOUT_S = 5.0
OK, NOT_MODIFIED = 200, 304

Fetch = Callable[[str | None], tuple[int, str | None, bytes]]
"""Given the last ETag: status, ETag, content; `OSError` or `HTTPException` if nobody answers."""


class _Copy(NamedTuple):
    """What the gateway said last, and when it said so."""

    tests: Mapping[str, Experiment]
    tag: str | None
    at: float


class Experiments:
    """A copy that is looked up at once; who looks at an old one has it refreshed meanwhile."""

    def __init__(self, fetch: Fetch, counters: Counters) -> None:
        self._fetch, self._counters = fetch, counters
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a child process: its parent's thread is not there, its copy is."""
        self._lock, self._asked = threading.RLock(), threading.Event()
        self._is_asking, self._ask_at = False, 0.0
        self._first_at: float | None = None
        self._copy: _Copy | None = getattr(self, "_copy", None)

    def find(self, name: str, wait_s: float) -> Experiment | None:
        """By key or id. Waits only for the first answer, and only so long after the first call."""
        now = time.monotonic()
        if now >= self._ask_at:
            self._ask()
        if self._copy is None:
            if self._first_at is None:
                self._first_at = now
            # All wait for the same answer: who comes later has less to wait, in the end nothing.
            self._asked.wait(max(0.0, self._first_at + wait_s - now))
        copy = self._copy
        if copy is None or time.monotonic() - copy.at > MOST_STALE_S:
            return None
        return copy.tests.get(name)

    def is_known(self) -> bool:
        """Whether there is a copy, so that nobody waits."""
        return self._copy is not None

    def _ask(self) -> None:
        with self._lock:
            if self._is_asking:
                return
            self._is_asking = True
        try:
            threading.Thread(target=self._refresh, name="assay-experiments", daemon=True).start()
        except RuntimeError:  # no more threads for now
            self._counters.add("experiment_errors")
            self._is_asking, self._ask_at = False, time.monotonic() + RETRY_S

    def _refresh(self) -> None:
        wait_s = RETRY_S
        try:
            self._copy = self._asked_for(self._copy)
            wait_s = FRESH_S
        except Exception:  # nobody there, or an answer that cannot be read: the copy stays
            self._counters.add("experiment_errors")
        finally:
            self._ask_at = time.monotonic() + wait_s
            self._is_asking = False
            self._asked.set()

    def _asked_for(self, known: _Copy | None) -> _Copy:
        at = time.monotonic()
        status, tag, content = self._fetch(known and known.tag)
        if status == NOT_MODIFIED and known is not None:
            return known._replace(at=at)
        if status != OK:
            raise OSError(f"HTTP {status}")
        tests = [test for item in json.loads(content)["items"] if (test := self._read(item))]
        named = {name: test for test in tests for name in (test.test_id, test.key) if name}
        return _Copy(named, tag, at)

    def _read(self, item: Any) -> Experiment | None:
        """A test that cannot be read takes no other with it."""
        try:
            return Experiment.from_answer(item)
        except Exception:
            self._counters.add("experiment_errors")
            return None


def fetching(url: str, api_key: str) -> Fetch:
    """Ask a gateway; a URL that is none costs an error each time, and no agent its start."""

    def fetch(tag: str | None) -> tuple[int, str | None, bytes]:
        split = urlsplit(url)
        secure = split.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        headers = {"Authorization": f"Bearer {api_key}"}
        if tag is not None:
            headers["If-None-Match"] = tag
        connection = kind(split.hostname or "localhost", split.port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", split.path.rstrip("/") + PATH, headers=headers)
            response = connection.getresponse()
            return response.status, response.getheader("ETag"), response.read()
        finally:
            connection.close()

    return fetch
