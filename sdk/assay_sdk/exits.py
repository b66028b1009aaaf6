"""The end of a process: how the client hears of it, whichever way it comes."""

import atexit
import os
import sys
from collections.abc import Callable

BEFORE_OTHERS = 1_000


class AtExit:
    """Calls a function once this process ends in order."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._pid: int | None = None

    def here(self) -> None:
        """There is something to do at the end of this process."""
        if self._pid == os.getpid():
            return
        if self._pid is None:
            atexit.register(self._act)
        # Children that multiprocessing forks end by os._exit: nobody asks atexit there.
        process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
        if process is not None and util is not None and process.parent_process() is not None:
            util.Finalize(None, self._act, exitpriority=BEFORE_OTHERS)
        self._pid = os.getpid()

    def cancel(self) -> None:
        """There no longer is; where a child of multiprocessing ends, it costs an idle call."""
        if self._pid is not None:
            atexit.unregister(self._act)
            self._pid = None
