"""The compose file: it is one, whatever it names is there, and nothing in it is secret or open."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.jobs.secret_files import Places, make_secrets
from deploy.names import SERVICES
from shared.runtime import EXIT_WITHIN_S
from tests.support.composed import composed, environment_of, files
from tests.support.image import ROOT, environment
from tests.support.settings import OF_SERVICE, needed_by, read_by

OURS = {
    name: one
    for name, one in composed()["services"].items()
    if str(one["image"]).startswith("assay")
}
DOCS = (ROOT / "docs" / "configuration.md").read_text()


def plain(variables: dict[str, str]) -> set[str]:
    """Their names, those of secrets as if they were not in files."""
    return {
        name.removesuffix("_FILE") if value.startswith("/run/secrets/") else name
        for name, value in variables.items()
    }


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_it_is_a_compose_file(path: Path) -> None:
    checker = Path(sys.executable).parent / "check-jsonschema"
    command = [checker, "--builtin-schema", "vendor.compose-spec", path]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_every_service_is_in_it() -> None:
    assert set(OF_SERVICE) == set(SERVICES)
    named = {name: environment_of(name).get("SERVICE") for name in SERVICES}
    assert named == {name: name for name in SERVICES}
    assert OURS.keys() == {*SERVICES, "migrate", "roles", "topics", "assay"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_what_it_needs_and_nothing_that_it_does_not_read(name: str) -> None:
    given = plain(environment_of(name))
    assert given <= read_by(name)
    assert needed_by(name) <= given


def test_every_variable_is_described() -> None:
    named = set(re.findall(r"\$\{(ASSAY_\w+)", "".join(path.read_text() for path in files())))
    named |= set(re.findall(r"ASSAY_\w+", (ROOT / "deploy" / ".env.example").read_text()))
    named |= {name for name in environment() if name.startswith("ASSAY_")}
    for service in OURS:
        named |= plain(environment_of(service)) - {"SERVICE"}
    assert {name for name in named if f"`{name}`" not in DOCS} == set()


@pytest.mark.parametrize("name", composed()["services"])
def test_what_is_secret_comes_from_a_file_that_this_service_has(name: str) -> None:
    has = set(composed()["services"][name].get("secrets", []))
    assert has <= composed()["secrets"].keys()
    for variable, value in environment_of(name).items():
        if re.search(r"PASSWORD|SECRET|_KEY|DSN|REDIS_URL", variable):
            assert variable.endswith("_FILE"), variable
            assert value.removeprefix("/run/secrets/") in has, variable


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_own_role_and_user_and_no_other_s(name: str) -> None:
    has = set(composed()["services"][name]["secrets"])
    of_stores = {one for one in has if one.startswith(("postgres-", "redis-"))}
    assert of_stores == {f"postgres-dsn-{name}", f"redis-url-{name}"}


def test_the_command_makes_every_secret(tmp_path: Path) -> None:
    make_secrets(tmp_path, Places("postgres:5432/assay", "assay", "valkey:6379/0", False))
    assert {path.name for path in tmp_path.iterdir()} == composed()["secrets"].keys()


def test_only_this_host_can_reach_it() -> None:
    ports = [port for one in composed()["services"].values() for port in one.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_who_need_not_leave_cannot() -> None:
    assert composed()["networks"]["inside"] == {"internal": True}
    outside = {n for n, one in composed()["services"].items() if "outside" in one["networks"]}
    assert outside == {"gateway", "notify", "prometheus", "grafana"}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_change_nothing_but_what_is_theirs(name: str) -> None:
    one = OURS[name]
    assert one["read_only"] is True
    assert one["tmpfs"] == ["/tmp"]
    assert one["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in one["security_opt"]
    assert not {"privileged", "user", "cap_add", "pid", "network_mode"} & one.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_the_time_to_finish(name: str) -> None:
    assert int(OURS[name]["stop_grace_period"].removesuffix("s")) > EXIT_WITHIN_S


def test_nothing_starts_before_what_it_needs() -> None:
    finished = {"condition": "service_completed_successfully"}
    for name in SERVICES:
        needs = OURS[name]["depends_on"]
        assert (needs["roles"], needs["topics"]) == (finished, finished)
    assert OURS["roles"]["depends_on"] == {"migrate": finished}


def test_images_of_others_have_versions() -> None:
    for name, one in composed()["services"].items():
        assert re.search(r":v?\d[\w.-]*$", one["image"]) or name in OURS, one["image"]


def test_prometheus_looks_at_every_service_where_it_answers() -> None:
    told = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    targets = {t for one in told["scrape_configs"][0]["static_configs"] for t in one["targets"]}
    port = environment()["ASSAY_TELEMETRY_PORT"]
    consumers = {f"{name}:{port}" for name in SERVICES if name != "gateway"}
    assert targets == consumers | {"gateway:8080"}


def test_what_is_mounted_is_there() -> None:
    for path in files():
        for one in yaml.safe_load(path.read_text())["services"].values():
            for volume in one.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    assert (path.parent / source).exists(), volume


def test_grafana_shows_every_dashboard() -> None:
    mounted = " ".join(composed()["services"]["grafana"]["volumes"])
    for path in (ROOT / "deploy" / "grafana").glob("*.json"):
        assert f"/etc/grafana/dashboards/{path.name}:ro" in mounted
