"""`assay doctor`: what is wrong with an installation, and what to do."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.say import AsJson, answer, err, out
from deploy.doctor.examining import Patient, examine
from deploy.doctor.finding import SEE, Finding, Level, worst
from deploy.jobs.acls import PRINCIPALS
from deploy.system import default_data_dir

COLOURS = {Level.OK: "green", Level.UNSEEN: "dim", Level.WARN: "yellow", Level.FAIL: "red"}
NOBODY = "operator"
"""Whose rights are looked at where the environment names nobody of ours."""


def doctor(
    program: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Whose rights in Kafka are looked at. [default: the SASL user, or operator]",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Whose disk is looked at. [default: ASSAY_DATA_DIR]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at settings, servers, topics, schema, rights, clocks, disks; say what to do.

    Changes nothing (one key in Redis is written and taken back). Exit 1 when something fails.
    """
    if program is not None and program not in PRINCIPALS:
        names = ", ".join(PRINCIPALS)
        raise typer.BadParameter(f"there is no program {program!r}; programs: {names}")
    patient = Patient(data_dir or default_data_dir(), program or _ourselves())
    with err.status("looking …"):
        findings = asyncio.run(examine(patient))
    level = worst(findings)
    if as_json:
        answer(_as_json(findings, level), as_json=True, text="")
    else:
        out.print(_table(findings))
        out.print(_summary(findings), markup=False)
    if level is Level.FAIL:
        raise typer.Exit(1)


def _ourselves() -> str:
    user = os.environ.get("ASSAY_KAFKA_SASL_USERNAME", NOBODY)
    return user if user in PRINCIPALS else NOBODY


def _as_json(findings: list[Finding], level: Level) -> dict[str, object]:
    checks = [
        {"name": one.name, "level": one.level, "seen": one.seen, "next": one.then}
        for one in findings
    ]
    return {"level": level, "checks": checks}


def _table(findings: list[Finding]) -> Table:
    table = Table("check", "", "seen", "next", show_lines=False)
    for one in findings:
        if one.level is Level.UNSEEN and one.then is None and one.seen.startswith(SEE):
            continue  # its server's own line says it
        level = f"[{COLOURS[one.level]}]{one.level}[/]"
        table.add_row(one.name, level, escape(one.seen), escape(one.then or ""))
    return table


def _summary(findings: list[Finding]) -> str:
    counted = [(level, sum(one.level is level for one in findings)) for level in reversed(Level)]
    return ", ".join(f"{count} {level}" for level, count in counted if count)
