"""What an installation of one's own needs once: secrets, and roles that may log in."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.auditing import recorder
from deploy.cli.options import owner_dsn
from deploy.cli.say import AsJson, answer, explained
from deploy.jobs.roles import ROLE_OF, give_passwords
from deploy.jobs.secret_files import Places, make_secrets, passwords_in

secrets = typer.Typer(no_args_is_help=True)
roles = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="The folder of the secrets.")]


@secrets.callback()
def _secrets() -> None:
    """Secrets of an installation."""


@roles.callback()
def _roles() -> None:
    """Roles of the services in Postgres."""


@secrets.command("make")
def make(
    folder: Folder,
    postgres: Annotated[str, typer.Option(help="host:port/database")] = "postgres:5432/assay",
    owner: Annotated[str, typer.Option(help="Who owns that database.")] = "assay",
    redis: Annotated[str, typer.Option(help="host:port/number")] = "valkey:6379/0",
    redis_tls: Annotated[bool, typer.Option("--redis-tls", help="Speak TLS to it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the secrets of an installation, one in a file; those that are there stay.

    The defaults are the names of deploy/compose.yaml. For Kubernetes: kubectl create secret generic
    assay --from-file=FOLDER.
    """
    with explained("The secrets were not made.", "name a folder that you may write to"):
        made = make_secrets(folder, Places(postgres, owner, redis, redis_tls))
    text = f"{len(made)} secrets made in {folder}" + ("; those that were there stay" * (not made))
    answer({"folder": str(folder), "made": made}, as_json=as_json, text=text)


@roles.command("login")
def login(folder: Folder, as_json: AsJson = False) -> None:
    """Let each service's role log in, by the password in FOLDER/postgres-dsn-<service>.

    After `assay migrate`, which makes the roles, and again after a password was changed.
    """
    with explained("No role was changed.", "run `assay migrate` first; see docs/deployment.md"):
        found = passwords_in(folder)
        audit, dsn = recorder(), owner_dsn()
        asyncio.run(give_passwords(dsn, found, audit))
    named = sorted(ROLE_OF[service] for service in found)
    answer({"roles": named}, as_json=as_json, text=f"may log in: {', '.join(named)}")
