"""The image: who runs in it, what it holds, and what becomes of a build's secrets."""

import fnmatch
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.main import app as whole
from deploy.cli.service import alone
from deploy.image.healthy import port_of, trouble
from tests.support.image import ROOT, environment, exec_form, instructions, last_stage

PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
NAME = re.compile(r"^[A-Za-z0-9_.-]+")


def pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text()))


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    found = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.returncode) == ("", 0)


def test_nobody_is_root_and_kubernetes_can_tell() -> None:
    (user,) = [one.value for one in last_stage() if one.name == "USER"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    after = [one.name for one in last_stage()]
    assert "COPY" not in after[after.index("USER") :]


def test_the_service_itself_is_told_to_stop() -> None:
    assert exec_form("ENTRYPOINT") == ["assay"]
    assert exec_form("CMD") == ["service"]


def test_every_base_has_a_version() -> None:
    arguments = dict(one.value.split("=") for one in instructions() if one.name == "ARG")
    for one in instructions():
        if one.name == "FROM":
            image = re.sub(r"\$\{(\w+)\}", lambda m: arguments[m[1]], one.value.split()[0])
            assert re.search(r":[0-9][\w.-]*$", image), image


def test_the_builder_installs_with_the_same_uv_as_everybody() -> None:
    (pinned,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"UV={pinned}" in [one.value for one in instructions() if one.name == "ARG"]


def test_the_image_holds_what_was_tested_and_no_tools() -> None:
    whole, image = pins(ROOT / "requirements.lock"), pins(ROOT / "deploy/image/requirements.lock")
    assert image.items() <= whole.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    lists = (project["dependency-groups"]["dev"], *extras.values())
    named = {NAME.match(line)[0].lower() for each in lists for line in each}  # type: ignore[index]
    # These two are what something of ours stands on as well.
    assert named & image.keys() <= {"cryptography", "wrapt"}
    assert {"faststream", "asyncpg", "scipy"} <= image.keys()


def sent_to_builder(path: str) -> bool:
    """As Docker reads .dockerignore: the last line that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern, keep = line.removeprefix("!"), line.startswith("!")
        parts = Path(path).parts
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        if pattern.startswith("**/"):
            fits = any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
        else:
            fits = any(fnmatch.fnmatch(head, pattern) for head in heads)
        sent = keep if fits else sent
    return sent


def test_all_that_we_import_of_our_own_is_copied() -> None:
    copied = {word for one in copied_from_here() for word in one.split()[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    roots = set(project["tool"]["importlinter"]["root_packages"]) - {"tests", "benchmarks"}
    assert packages <= copied
    assert {"assay_sdk"} == roots - packages
    assert "sdk" in copied  # the commands of the program use the agents' client


def copied_from_here() -> list[str]:
    return [
        one.value
        for one in instructions()
        if one.name == "COPY" and not one.value.startswith("--from")
    ]


def test_what_is_copied_is_sent_to_the_builder() -> None:
    for sources in copied_from_here():
        for source in sources.split()[:-1]:
            assert (ROOT / source.rstrip("/")).exists(), source
            assert sent_to_builder(source.rstrip("/")), source


@pytest.mark.parametrize(
    "path",
    [
        "deploy/secrets/secret-key",
        ".git/config",
        "deploy/.env",
        "tests/conftest.py",
        ".env",
    ],
)
def test_what_nobody_should_have_is_not_sent_to_the_builder(path: str) -> None:
    assert not sent_to_builder(path)


@pytest.mark.parametrize("program", [alone, whole], ids=["alone", "whole"])
@pytest.mark.parametrize(
    ("given", "says"), [("nonsense", "there is no service 'nonsense'"), ("", "Missing argument")]
)
def test_a_container_without_a_service_ends_with_a_sentence(
    program: typer.Typer, given: str, says: str
) -> None:
    found = CliRunner().invoke(program, exec_form("CMD"), env={"SERVICE": given, "COLUMNS": "200"})
    assert found.exit_code == 2
    assert says in found.output


def test_a_service_loads_no_other_command() -> None:
    """The demo and the migrations alone would be 40 MB in each container."""
    look = (
        "import sys; sys.argv[1:] = ['service', 'nonsense']; from deploy.cli import app\n"
        "others = {'scipy', 'alembic', 'assay_sdk', 'sqlalchemy', 'deploy.cli.main'}\n"
        "try: app()\nexcept SystemExit: print(*sorted(others & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


@pytest.mark.parametrize(
    ("service", "more", "port"),
    [
        ("gateway", {}, 8080),
        ("gateway", {"ASSAY_GATEWAY_PORT": "80"}, 80),
        ("ingest", {}, 9100),
    ],
)
def test_the_container_is_asked_where_its_service_answers(
    service: str, more: dict[str, str], port: int
) -> None:
    assert port_of(environment() | {"SERVICE": service} | more) == port


@pytest.fixture
def answering() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" and self.server.lives else 503)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_container_is_healthy_while_its_process_says_so(answering: ThreadingHTTPServer) -> None:
    port = answering.server_address[1]
    answering.lives = True  # type: ignore[attr-defined]
    assert trouble(port) is None
    answering.lives = False  # type: ignore[attr-defined]
    assert trouble(port) == "/healthz answers 503"


def test_a_container_whose_process_does_not_answer_is_not_healthy() -> None:
    assert "ConnectionRefusedError" in str(trouble(1))
