"""A provider's stream, seen through: who reads it notices nothing."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Protocol, Self

from assay_sdk.answers import Fields
from assay_sdk.reader import Reader

ABANDONED = "abandoned"
SNAPSHOTS = ("current_message_snapshot", "current_completion_snapshot")
"""Of Anthropic's and OpenAI's own streams: the answer as far as it has come."""


class Learner(Protocol):
    """The operation that a stream belongs to."""

    reader: Reader

    def first_token(self) -> None:
        """The first token is there."""

    def learn(self, found: Fields) -> None:
        """What the stream said of itself."""

    def end(self, error: BaseException | None = None) -> None:
        """The operation is over."""


class Watched:
    """What both kinds of stream have in common; all else is the provider's own."""

    def __init__(self, chunks: Any, operation: Learner, *, ends: bool) -> None:
        """`ends`: the operation is over when the stream is."""
        self._chunks = chunks
        self._operation = operation
        self._ends = ends
        self._texts: list[str] = []
        self._found: Fields = {}
        self._is_over = False
        self._entered: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _see(self, chunk: Any) -> None:
        operation = self._operation
        said = operation.reader.chunk(chunk)
        if said.is_token:
            operation.first_token()
        if said.text and operation.reader.content:
            self._texts.append(said.text)
        self._found.update(said.fields)  # counts grow while it goes on

    def over(self, error: BaseException | None = None, *, abandoned: bool = False) -> None:
        """Tell the operation what was said until now, once."""
        if self._is_over:
            return
        self._is_over = True
        self._found = self._snapshot() | self._found
        if self._texts:
            self._found.setdefault("output_text", "".join(self._texts))
        if abandoned:
            self._found.setdefault("finish_reason", ABANDONED)
        self._operation.learn(self._found)
        if self._ends:
            self._operation.end(error)

    def _snapshot(self) -> Fields:
        """What was read past us, by `get_final_message` and the like, the stream still knows."""
        for name in SNAPSHOTS:
            with contextlib.suppress(Exception):  # before anything has come it may raise
                whole = getattr(self._chunks, name, None)
                if whole is not None:
                    found = self._operation.reader.answer(whole)
                    if "finish_reason" not in found:
                        found.pop("output_tokens", None)  # not all of them
                    return found
        return {}

    def __del__(self) -> None:
        # Who breaks off reads no end; what was said until then counts.
        with contextlib.suppress(Exception):
            self.over(abandoned=True)


class Stream(Watched):
    """Iterate it as the one it was made of; its methods and attributes are that one's."""

    _own: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self._iterator)
        except StopIteration:
            self.over()
            raise
        except BaseException as error:
            self.over(error)
            raise
        self._see(chunk)
        return chunk

    @property
    def _iterator(self) -> Iterator[Any]:
        if self._own is None:
            self._own = iter(self._chunks)
        return self._own

    @property
    def text_stream(self) -> Iterator[str]:
        """Of a stream that has one: its texts alone."""
        return self._each(self._chunks.text_stream)

    def _each(self, texts: Iterator[str]) -> Iterator[str]:
        try:
            for text in texts:
                self._see(text)
                yield text
        except GeneratorExit:  # the rest may still be read otherwise
            raise
        except BaseException as error:
            self.over(error)
            raise
        self.over()

    def __enter__(self) -> Self:
        if hasattr(type(self._chunks), "__enter__"):
            self._entered, self._chunks = self._chunks, self._chunks.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        self.over(error, abandoned=error is None)
        entered = self._entered
        return None if entered is None else entered.__exit__(kind, error, trace)

    def close(self) -> Any:
        """Close the provider's."""
        self.over(abandoned=True)
        return self._chunks.close() if hasattr(self._chunks, "close") else None


class AsyncStream(Watched):
    """The same, asynchronous."""

    _own: AsyncIterator[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            chunk = await anext(self._iterator)
        except StopAsyncIteration:
            self.over()
            raise
        except BaseException as error:
            self.over(error)
            raise
        self._see(chunk)
        return chunk

    @property
    def _iterator(self) -> AsyncIterator[Any]:
        if self._own is None:
            self._own = aiter(self._chunks)
        return self._own

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """Of a stream that has one: its texts alone."""
        return self._each(self._chunks.text_stream)

    async def _each(self, texts: AsyncIterator[str]) -> AsyncIterator[str]:
        try:
            async for text in texts:
                self._see(text)
                yield text
        except GeneratorExit:  # the rest may still be read otherwise
            raise
        except BaseException as error:
            self.over(error)
            raise
        self.over()

    async def __aenter__(self) -> Self:
        if hasattr(type(self._chunks), "__aenter__"):
            self._entered, self._chunks = self._chunks, await self._chunks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        self.over(error, abandoned=error is None)
        entered = self._entered
        return None if entered is None else await entered.__aexit__(kind, error, trace)

    async def aclose(self) -> Any:
        """Close a generator."""
        self.over(abandoned=True)
        return await self._chunks.aclose() if hasattr(self._chunks, "aclose") else None

    async def close(self) -> Any:
        """Close the provider's."""
        self.over(abandoned=True)
        return await self._chunks.close() if hasattr(self._chunks, "close") else None


def watched(chunks: Any, operation: Learner, *, ends: bool = False) -> Stream | AsyncStream:
    """The stream, plain or async as it is, with its operation learning from each chunk."""
    given = type(chunks)
    # Anthropic's manager of an async stream can be entered, and nothing else.
    is_plain = hasattr(given, "__iter__") or hasattr(given, "__enter__")
    is_async = hasattr(given, "__aiter__") or (hasattr(given, "__aenter__") and not is_plain)
    return (AsyncStream if is_async else Stream)(chunks, operation, ends=ends)
