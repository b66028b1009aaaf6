"""`assay up` and `assay demo`."""

import asyncio
import json
import os
import shlex
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.say import AsJson, answer, err, explained, fail, out
from deploy.demo.run import Demo
from deploy.demo.summary import Summary
from deploy.system import DEFAULT_TENANT, Running, System, default_data_dir

DataDirOption = Annotated[
    Path | None, typer.Option(help="Where all state lies. [default: ASSAY_DATA_DIR]")
]
EnvFile = Annotated[Path | None, typer.Option(help="Write shell variables there once ready.")]
NEXT = "see the logs in the data folder; ASSAY_* settings can name servers of your own"


def up(data_dir: DataDirOption = None, env_file: EnvFile = None, as_json: AsJson = False) -> None:
    """Start the whole system on this machine; Ctrl-C stops it, data stays."""
    _refuse_unwritable("Assay did not start.", env_file)

    async def until_stopped(running: Running, stopping: asyncio.Event) -> None:
        if env_file:
            _write_env(env_file, running)
        answer(running.variables(), as_json=as_json, text=_welcome(running))
        await stopping.wait()

    with explained("Assay did not start.", NEXT):
        asyncio.run(_with_system(data_dir, until_stopped))


def demo(  # noqa: PLR0913, PLR0917 - the options of one command
    data_dir: DataDirOption = None,
    env_file: EnvFile = None,
    leave: Annotated[bool, typer.Option("--exit", help="Leave when all is counted.")] = False,
    summary: Annotated[Path | None, typer.Option(help="Write the numbers there as JSON.")] = None,
    trace: Annotated[list[Path] | None, typer.Option(help="CSV of real traffic to replay.")] = None,
    predictions: Annotated[int, typer.Option(min=1_000, help="How many predictions.")] = 20_000,
    as_json: AsJson = False,
) -> None:
    """Start everything and send real work through it: two classifiers on handwritten digits."""
    for file in trace or []:
        if not file.is_file():
            fail("The demo cannot run.", f"{file} is no file", "name a CSV with a header line")
    _refuse_unwritable("The demo cannot run.", env_file, summary)
    outcome: list[Summary] = []

    async def work(running: Running, stopping: asyncio.Event) -> None:
        if env_file:
            _write_env(env_file, running)
        task = asyncio.ensure_future(Demo(running, err).run(predictions, trace or []))
        stop = asyncio.ensure_future(stopping.wait())
        await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            return
        stop.cancel()
        outcome.append(task.result())
        content = outcome[0].as_dict()
        if summary:
            summary.write_text(json.dumps(content, indent=1) + "\n")
        answer(content, as_json=as_json, text=outcome[0].as_text())
        if not leave:
            out.print(_welcome(running), markup=False, soft_wrap=True)
            await stopping.wait()

    with explained("The demo failed.", NEXT):
        asyncio.run(_with_system(data_dir, work))
    if not outcome or outcome[0].mismatches:
        raise typer.Exit(1)


async def _with_system(
    data_dir: Path | None, work: Callable[[Running, asyncio.Event], Awaitable[None]]
) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    async with _system(data_dir, stopping) as running:
        if running is not None:
            await work(running, stopping)


@asynccontextmanager
async def _system(data_dir: Path | None, stopping: asyncio.Event) -> AsyncIterator[Running | None]:
    """A started system, or `None` when we were told to stop before it was ready."""
    system = System(data_dir or default_data_dir(), _step, _restarted)
    start = asyncio.ensure_future(system.start(os.environ.get("ASSAY_TENANT", DEFAULT_TENANT)))
    stop = asyncio.ensure_future(stopping.wait())
    try:
        with err.status("starting …"):
            await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            yield start.result()
        else:
            start.cancel()
            await asyncio.gather(start, return_exceptions=True)
            yield None
    finally:
        stop.cancel()
        with err.status("stopping …"):
            await system.stop()


def _step(name: str, what: str) -> None:
    err.print(f"  [green]✓[/green] {name:<10} {what}", soft_wrap=True)


def _restarted(name: str, code: int | None) -> None:
    err.print(f"  [yellow]![/yellow] {name:<10} ended (exit code {code}); starting it again")


def _refuse_unwritable(what: str, *files: Path | None) -> None:
    """Before minutes of work, not after them."""
    for file in files:
        if file is not None and (file.is_dir() or not os.access(file.absolute().parent, os.W_OK)):
            fail(what, f"{file} cannot be written", "name a file in a folder that you may write to")


def _write_env(path: Path, running: Running) -> None:
    """Write the file whole, readable by nobody else, in one step."""
    lines = [f"export {name}={shlex.quote(v)}\n" for name, v in running.variables().items()]
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(lines)
    temporary.replace(path)


def _welcome(running: Running) -> str:
    """What a person needs next."""
    variables = "\n".join(
        f"  export {name}={shlex.quote(value)}" for name, value in running.variables().items()
    )
    return f"""
Assay is ready at {running.gateway_url}  (API: {running.gateway_url}/docs)

For a second shell:
{variables}

Send a first event:
  curl -H "Authorization: Bearer $ASSAY_ADMIN_KEY" -H 'Content-Type: application/json' \\
    -d '{{"operation_id": "1", "model_id": "m", "success": true, "response_time_ms": 42}}' \\
    $ASSAY_GATEWAY_URL/ai/operations/log

Ctrl-C stops it; the data stays."""
