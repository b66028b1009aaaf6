"""Functions whose every call is an operation."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from assay_sdk.kinds import is_stream
from assay_sdk.operation import Operation
from assay_sdk.streaming import watched

Function = TypeVar("Function", bound=Callable[..., Any])


def traced(start: Callable[[], Operation], function: Function) -> Function:
    """Measure each call, of a function that is plain, async, or makes a stream."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def measured_async(*args: Any, **kwargs: Any) -> Any:
            return await _awaited(start().begin(), function(*args, **kwargs))

        return cast(Function, measured_async)

    @functools.wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:
        operation = start().begin()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            operation.end(error)
            raise
        if inspect.iscoroutine(result):  # of a plain function that calls an async one
            return _awaited(operation, result)
        if asyncio.isfuture(result):
            result.add_done_callback(lambda future: _settled(operation, future))
            return result
        return _ended(operation, result)

    return cast(Function, measured)


async def _awaited(operation: Operation, result: Awaitable[Any]) -> Any:
    try:
        answer = await result
    except BaseException as error:
        operation.end(error)
        raise
    return _ended(operation, answer)


def _settled(operation: Operation, future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        operation.end(asyncio.CancelledError())
    elif (error := future.exception()) is not None:
        operation.end(error)
    else:
        operation.learn(operation.reader.result(future.result()))
        operation.end()


def _ended(operation: Operation, result: Any) -> Any:
    """A stream ends the operation when it ends itself."""
    if is_stream(result):
        return watched(result, operation, ends=True)
    operation.learn(operation.reader.result(result))
    operation.end()
    return result
