"""The audit log on the command line: taken out, and verified without any server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from deploy.cli.auditing import audit_keys, recorder
from deploy.cli.options import owner_dsn
from deploy.cli.say import AsJson, answer, err, explained, fail
from deploy.jobs.auditing import export_log
from shared.audit.anchor_file import lines_of
from shared.audit.anchors import anchors_of
from shared.audit.chain import INSTALLATION, Verdict
from shared.audit.exports import tenant_of, verify_export

audit = typer.Typer(no_args_is_help=True)


@audit.callback()
def _audit() -> None:
    """The audit log: who did what."""


@audit.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Is made; must not be there yet.")],
    tenant: Annotated[
        str, typer.Option(help="Whose log; * for what belongs to no tenant.")
    ] = INSTALLATION,
    as_json: AsJson = False,
) -> None:
    """Write a tenant's audit log to a file, which the log is told of."""
    next_step = "check ASSAY_POSTGRES_DSN, and that the file is not there yet"
    with (
        explained("The audit log was not exported.", next_step),
        Progress(console=err, transient=True) as progress,
    ):
        bar = progress.add_task("rows", total=None)
        rows = asyncio.run(
            export_log(
                owner_dsn(),
                tenant,
                file,
                recorder(),
                lambda done: progress.update(bar, completed=done),
            )
        )
    content = {"tenant": tenant, "rows": rows, "file": str(file)}
    answer(content, as_json=as_json, text=f"{rows} rows of {tenant} are in {file}")


@audit.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="What `assay audit export` has written.")],
    anchors: Annotated[
        Path | None, typer.Option(help="The file of ASSAY_AUDIT_ANCHOR_FILE, to compare with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at each row of an exported audit log; exit 1 when any is wrong. Needs no server."""
    keys = audit_keys()
    _refuse_unreadable(file, "name a file that `assay audit export` has written")
    if anchors is not None:
        _refuse_unreadable(anchors, "name the file of ASSAY_AUDIT_ANCHOR_FILE")
    next_step = "keep the file as it is, and export the log anew"
    with explained("The file cannot be verified.", next_step), file.open("rb") as content:
        lines = iter(content)
        tenant = tenant_of(next(lines, b""))
        known = () if anchors is None else anchors_of(tenant, lines_of(anchors), keys)
        verdict = verify_export(tenant, lines, keys, known)
    answer(_as_json(tenant, verdict), as_json=as_json, text=_text(tenant, verdict, anchors))
    if not verdict.whole:
        raise typer.Exit(1)


def _refuse_unreadable(file: Path, then: str) -> None:
    """Before anything is said of what it holds: a wrong name is no broken chain."""
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        fail("Nothing was verified.", f"{file} cannot be read: {error.strerror}", then)


def _as_json(tenant: str, verdict: Verdict) -> dict[str, object]:
    head = verdict.head
    return {
        "tenant": tenant,
        "valid": verdict.whole,
        "entries": verdict.rows,
        "first_bad": verdict.first_broken,
        "why": verdict.why,
        "head": head and {"seq": head.sequence, "hash": head.row_hash.hex()},
        "anchors": verdict.anchors,
    }


def _text(tenant: str, verdict: Verdict, anchors: Path | None) -> str:
    if not verdict.whole:
        return f"{tenant}: BROKEN at row {verdict.first_broken}: {verdict.why}"
    beside = f"{verdict.anchors} anchors fit" if anchors else "compared with no anchors"
    return f"{tenant}: {verdict.rows} rows, all of them fit; {beside}"
