"""The Helm chart: Kubernetes takes what it makes, and pods may do no more than they must."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.jobs.acls import READS
from deploy.jobs.secret_files import Places, make_secrets
from deploy.names import SERVICES
from shared.runtime import EXIT_WITHIN_S
from shared.topics import topic_name
from tests.support.chart import CHART, KUBERNETES, VALUES, digest, helm, kept, render
from tests.support.image import ROOT, environment, exec_form, last_stage
from tests.support.manifests import containers, env_of, files_of, of_kind, plain, pods, services
from tests.support.settings import needed_by, read_by

CASES = sorted(VALUES)
DOCS = (ROOT / "docs" / "configuration.md").read_text()
# Kinds of others: examples of them are not Kubernetes' own schemas.
FOREIGN = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}


@pytest.mark.parametrize("case", CASES)
def test_what_is_tested_is_this_chart(case: str) -> None:
    assert kept(case)[0] == digest(), "the chart has changed: make lint-deploy renders it anew"


@pytest.mark.parametrize("case", CASES)
def test_helm_makes_of_it_what_was_kept(case: str) -> None:
    program = helm()
    if program is None:
        pytest.skip("no helm here: what it made last is tested all the same")
    assert render(program, VALUES[case]) == kept(case)[1]


@pytest.mark.parametrize("case", CASES)
def test_kubernetes_takes_it(case: str) -> None:
    for one in kept(case)[1]:
        if one["apiVersion"] not in FOREIGN:
            kubernetes_validate.validate(one, KUBERNETES.rpartition(".")[0], strict=True)


def test_the_chart_s_values_are_what_its_schema_says() -> None:
    program = helm()
    if program is None:
        pytest.skip("no helm here")
    for wrong in ("kafka.typo=1", "settings.ASSAY_SECRET_KEY=x", "eventTrust=maybe"):
        with pytest.raises(AssertionError, match="values don't meet the specifications"):
            render(program, VALUES["least"], "--set", wrong)


@pytest.mark.parametrize("case", CASES)
def test_every_service_runs_as_in_the_image(case: str) -> None:
    for name, one in services(case).items():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        assert "command" not in container
        assert container["args"] == [*exec_form("CMD"), name]
        assert env_of(container)["SERVICE"] == name
        port = "8080" if name == "gateway" else environment()["ASSAY_TELEMETRY_PORT"]
        assert container["ports"] == [{"name": "http", "containerPort": int(port)}]


@pytest.mark.parametrize("case", CASES)
def test_a_service_gets_what_it_needs_and_nothing_that_it_does_not_read(case: str) -> None:
    for name, one in services(case).items():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        given = plain(env_of(container))
        assert given <= read_by(name), name
        assert needed_by(name) <= given, name


@pytest.mark.parametrize("case", CASES)
def test_every_variable_is_described(case: str) -> None:
    named = {name for one in containers(case) for name in plain(env_of(one)) if name != "SERVICE"}
    assert {name for name in named if f"`{name}`" not in DOCS} == set()


@pytest.mark.parametrize("case", CASES)
def test_every_file_that_is_named_is_there_and_every_file_is_named(case: str) -> None:
    for pod in pods(case):
        for folder, volume in (
            ("/run/secrets/assay/", "secrets"),
            ("/run/secrets/kafka/", "kafka"),
        ):
            named = {
                value.removeprefix(folder)
                for one in [*pod.get("initContainers", []), *pod["containers"]]
                for value in env_of(one).values()
                if value.startswith(folder)
            }
            has = {one["name"] for one in pod["volumes"]}
            found = files_of(pod, volume) if volume in has else set()
            is_setup = "initContainers" in pod and volume == "secrets"
            roles = {f"postgres-dsn-{name}" for name in SERVICES} if is_setup else set()
            assert found == named | roles


def test_the_command_makes_every_secret_that_the_chart_reads(tmp_path: Path) -> None:
    made = tmp_path / "secrets"
    make_secrets(made, Places("db:5432/assay", "assay", "cache:6379/0", False))
    read = {name for pod in pods("everything") for name in files_of(pod, "secrets")}
    assert read <= {path.name for path in made.iterdir()}


@pytest.mark.parametrize("case", CASES)
def test_a_service_has_its_own_role_and_user_and_no_other_s(case: str) -> None:
    for name, one in services(case).items():
        has = files_of(one["spec"]["template"]["spec"], "secrets")
        of_stores = {key for key in has if key.startswith(("postgres-", "redis-"))}
        assert of_stores == {f"postgres-dsn-{name}", f"redis-url-{name}"}


@pytest.mark.parametrize("case", CASES)
def test_pods_fulfil_the_restricted_standard_and_have_no_token(case: str) -> None:
    (user,) = [one.value for one in last_stage() if one.name == "USER"]
    for pod in pods(case):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
    for one in containers(case):
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"name": "tmp", "mountPath": "/tmp"} in one["volumeMounts"]
        assert one["resources"]["limits"]["memory"]
        assert one["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("case", CASES)
def test_probes_ask_for_life_and_readiness_apart(case: str) -> None:
    for one in services(case).values():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        asked = {probe: container[probe]["httpGet"] for probe in container if "Probe" in probe}
        assert asked == {
            "startupProbe": {"path": "/healthz", "port": "http"},
            "livenessProbe": {"path": "/healthz", "port": "http"},
            "readinessProbe": {"path": "/readyz", "port": "http"},
        }


@pytest.mark.parametrize("case", CASES)
def test_a_service_is_given_the_time_to_finish(case: str) -> None:
    for one in services(case).values():
        spec = one["spec"]["template"]["spec"]
        assert spec["terminationGracePeriodSeconds"] > EXIT_WITHIN_S


@pytest.mark.parametrize("case", CASES)
def test_selectors_find_the_pods_they_are_for_and_no_others(case: str) -> None:
    for name, one in services(case).items():
        chosen = one["spec"]["selector"]["matchLabels"]
        assert chosen["app.kubernetes.io/component"] == name
        assert chosen.items() <= one["spec"]["template"]["metadata"]["labels"].items()
    budgets = of_kind(case, "PodDisruptionBudget")
    many = {n for n, one in services(case).items() if one["spec"].get("replicas") != 1}
    if case == "everything":
        many -= {"notify"}
    assert budgets.keys() == {f"assay-{name}" for name in many}
    (service,) = of_kind(case, "Service").values()
    gateway = services(case)["gateway"]["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"] == gateway


@pytest.mark.parametrize("case", CASES)
def test_the_schema_is_there_before_the_services(case: str) -> None:
    (job,) = of_kind(case, "Job").values()
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    spec = job["spec"]["template"]["spec"]
    ran = [one["args"] for one in [*spec["initContainers"], *spec["containers"]]]
    assert ran == [["migrate"], ["roles", "login", "/run/secrets/assay"], ["topics", "create"]]
    # What an install makes later is not there yet.
    assert "serviceAccountName" not in spec


@pytest.mark.parametrize("case", CASES)
def test_nobody_comes_in_or_goes_out_but_as_is_said(case: str) -> None:
    policies = of_kind(case, "NetworkPolicy")
    general = policies["assay"]["spec"]
    assert general["policyTypes"] == ["Ingress", "Egress"]
    assert "app.kubernetes.io/component" not in general["podSelector"]["matchLabels"]
    ports = {port["port"] for rule in general["egress"] for port in rule["ports"]}
    assert ports == {53, 9092, 9093, 5432, 6379}
    outside = policies["assay-outside"]["spec"]
    (only,) = outside["podSelector"]["matchExpressions"]
    assert set(only["values"]) == {"notify", "gateway"}
    assert "169.254.0.0/16" in outside["egress"][0]["to"][0]["ipBlock"]["except"]
    assert "ingress" in general or case == "least"


def test_who_scales_by_lag_looks_at_what_the_service_reads() -> None:
    found = of_kind("everything", "ScaledObject")
    for name, topics in READS.items():
        spec = found[f"assay-{name}"]["spec"]
        looked = {one["metadata"]["topic"] for one in spec["triggers"]}
        assert looked == {topic_name(topic, "ai.") for topic in topics}
        assert {one["metadata"]["consumerGroup"] for one in spec["triggers"]} == {name}
        assert spec["maxReplicaCount"] <= 6
        assert "replicas" not in services("everything")[name]["spec"]


def test_with_sasl_each_program_is_itself() -> None:
    for name, one in services("everything").items():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        assert env_of(container)["ASSAY_KAFKA_SASL_USERNAME"] == f"assay-{name}"
        assert env_of(container)["ASSAY_KAFKA_SSL_CAFILE"] == "/run/secrets/kafka/ca.crt"


def test_the_chart_is_of_this_version() -> None:
    chart: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert chart["appVersion"] == version
