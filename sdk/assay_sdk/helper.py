"""A thread for what would block the sender's loop: names to look up, posts over HTTP."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Thread
from typing import Any

_Task = tuple["Future[Any]", Callable[[], Any]]


class Helper(ThreadPoolExecutor):
    """One daemon thread that is there from the beginning.

    The standard library's executors take no work once the interpreter begins to end, and from
    Python 3.12 on no thread can be started then: but just then the last events are to be sent.
    """

    def __init__(self) -> None:
        super().__init__(1)
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        Thread(target=self._live, name="assay-helper", daemon=True).start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Have it called there, after all that came before."""
        future: Future[Any] = Future()
        self._tasks.put((future, lambda: function(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the thread end when it has done what it was given; nobody waits for it."""
        self._tasks.put(None)

    def _live(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, act = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = act()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del task, future, act  # nothing is held while waiting for the next
