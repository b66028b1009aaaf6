"""Examples of operators' manifests: they fit the chart, and rights are those that programs need."""

from typing import Any

import pytest
import yaml

from deploy.jobs.acls import PRINCIPALS, Acl, acls
from deploy.topic_shapes import MOST_REPLICAS
from tests.support.chart import helm, render
from tests.support.image import ROOT

EXAMPLES = ROOT / "deploy" / "examples"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text()))


def rights_of(user: dict[str, Any]) -> set[Acl]:
    name = user["metadata"]["name"].removeprefix("assay-")
    return {
        Acl(
            name,
            operation,
            one["resource"]["type"],
            one["resource"]["name"],
            # Strimzi says prefix, Kafka prefixed.
            {"prefix": "prefixed", "literal": "literal"}[one["resource"]["patternType"]],
        )
        for one in user["spec"]["authorization"]["acls"]
        for operation in one["operations"]
    }


def test_strimzi_s_users_have_the_rights_that_programs_need_and_no_more() -> None:
    users = [one for one in documents("strimzi") if one["kind"] == "KafkaUser"]
    assert {one["metadata"]["name"] for one in users} == {f"assay-{name}" for name in PRINCIPALS}
    assert set().union(*map(rights_of, users)) == set(acls("ai."))


def test_all_of_it_is_the_stable_version_and_one_cluster() -> None:
    for one in documents("strimzi"):
        assert one["apiVersion"] == "kafka.strimzi.io/v1"
        if one["kind"] != "Kafka":
            assert one["metadata"]["labels"] == {"strimzi.io/cluster": "assay"}


def test_nothing_is_lost_with_one_broker() -> None:
    (pool,) = [one for one in documents("strimzi") if one["kind"] == "KafkaNodePool"]
    (kafka,) = [one for one in documents("strimzi") if one["kind"] == "Kafka"]
    assert pool["spec"]["replicas"] == MOST_REPLICAS
    settings = kafka["spec"]["kafka"]["config"]
    assert settings["min.insync.replicas"] == MOST_REPLICAS - 1
    assert settings["unclean.leader.election.enable"] is False
    assert settings["auto.create.topics.enable"] is False


def test_jobs_may_log_in_as_the_superuser_that_migrations_need() -> None:
    (cluster,) = documents("cloudnativepg")
    assert cluster["spec"]["enableSuperuserAccess"] is True
    assert cluster["spec"]["superuserSecret"] == {"name": "assay-superuser"}
    assert cluster["spec"]["bootstrap"]["initdb"]["database"] == "assay"


def test_the_chart_fits_beside_them() -> None:
    program = helm()
    if program is None:
        pytest.skip("no helm here")
    (kafka,) = [one for one in documents("strimzi") if one["kind"] == "Kafka"]
    port = kafka["spec"]["kafka"]["listeners"][0]["port"]
    found = render(program, EXAMPLES / "values.yaml")
    text = yaml.safe_dump_all(found)
    assert f"{kafka['metadata']['name']}-kafka-bootstrap:{port}" in text
    users = {f"assay-{name}" for name in PRINCIPALS}
    named = {
        source["secret"]["name"]
        for one in found
        if one["kind"] in {"Deployment", "Job"}
        for volume in one["spec"]["template"]["spec"]["volumes"]
        if volume["name"] == "kafka"
        for source in volume["projected"]["sources"]
    }
    assert named - {"assay-cluster-ca-cert"} <= users
