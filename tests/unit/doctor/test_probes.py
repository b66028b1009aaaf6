"""What probes read: rights out of a dump, variables out of the environment."""

import re

import pytest

from deploy.doctor.probes.kafka_words import UNTOLD, allowed
from deploy.doctor.probes.rights import SCHEMA, Grant, granted
from deploy.doctor.probes.settings import probe_settings
from deploy.jobs.roles import ROLE_OF
from deploy.known_settings import unknown

VARIABLE = re.compile(r"ASSAY_[A-Z_]*[A-Z]")
DUMP = """
GRANT ALL ON SCHEMA public TO assay_owner;
GRANT USAGE ON SCHEMA public TO svc_api;
GRANT SELECT,INSERT ON TABLE public.ab_tests TO svc_api;
GRANT SELECT(event_id),UPDATE("position") ON TABLE public.rows TO svc_ingest;
GRANT ALL ON FUNCTION public.f(since timestamp with time zone, needles bytea[]) TO svc_api;
GRANT ALL ON FUNCTION public.g() TO svc_api;
"""


def test_every_right_of_a_dump_is_read() -> None:
    table, function = (
        ("TABLE", "public.ab_tests", "svc_api"),
        "public.f(timestamp with time zone, bytea[])",
    )
    assert list(granted(DUMP)) == [
        Grant("SCHEMA", "public", "svc_api", "USAGE"),
        Grant(*table, "SELECT"),
        Grant(*table, "INSERT"),
        Grant("TABLE", "public.rows", "svc_ingest", "SELECT", "event_id"),
        Grant("TABLE", "public.rows", "svc_ingest", "UPDATE", '"position"'),
        Grant("FUNCTION", function, "svc_api", "EXECUTE"),
        Grant("FUNCTION", "public.g()", "svc_api", "EXECUTE"),
    ]


def test_no_grant_of_our_schema_is_left_out() -> None:
    schema = SCHEMA.read_text()
    lines = [line for line in schema.splitlines() if line.startswith("GRANT")]
    ours = [line for line in lines if any(line.endswith(f"{role};") for role in ROLE_OF.values())]
    privileges = sum(1 + line.partition(" ON ")[0].count(",") for line in ours)
    assert len(list(granted(schema))) == privileges > 100


def test_operations_of_a_bit_field() -> None:
    assert allowed(UNTOLD) is None
    assert allowed(0) == frozenset()
    assert allowed(1 << 4 | 1 << 8) == {"Write", "Describe"}


def test_variables_that_nobody_reads() -> None:
    given = {
        *("ASSAY_POSTGRES_DNS", "ASSAY_POSTGRES_DSN", "ASSAY_POSTGRES_DSN_FILE", "PATH"),
        *("ASSAY_TEST_KAFKA", "ASSAY_DATA_DIR", "ASSAY_SOMETHING_ELSE"),
    }
    assert unknown(given) == {
        "ASSAY_POSTGRES_DNS": "ASSAY_POSTGRES_DSN",
        "ASSAY_SOMETHING_ELSE": None,
    }


def test_every_variable_that_is_described_is_known() -> None:
    root = SCHEMA.parents[1]
    pages = ("docs/configuration.md", "docs/deployment.md", "deploy/compose.yaml", "sdk/README.md")
    named = {one for page in pages for one in VARIABLE.findall((root / page).read_text())}
    assert len(named) > 50
    assert unknown(named) == {}


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415 - only to take away what is there

    for name in [one for one in os.environ if one.startswith("ASSAY_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("_bare")
def test_all_that_is_wrong_is_told_at_once_and_no_secret_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "ASSAY_KAFKA_BOOTSTRAP_SERVERS": "broker:9092",
        "ASSAY_KAFKA_SASL_PASSWORD": "hush-hush",
        "ASSAY_POSTGRES_DSN": "postgresql://u:hush-hush@h/d?sslmode=prefer&sslrootcert=/none",
        "ASSAY_REDIS_URL": "redis://h/0?ssl_ca_certs=/none",
        "ASSAY_TOPIC_PARTITIONS": "six",
        "ASSAY_GATEWAY_PORT": "http",
        "ASSAY_EVENT_TRUST": "signed",
        "ASSAY_SECRET_KEY": "hush-hush" * 5,
    }.items():
        monkeypatch.setenv(name, value)
    wrong = "\n".join(probe_settings().wrong)
    for name in (
        *("ASSAY_KAFKA_SECURITY_PROTOCOL", "ASSAY_POSTGRES_DSN", "ASSAY_REDIS_URL"),
        *("ASSAY_TOPIC_PARTITIONS", "ASSAY_GATEWAY_PORT", "ASSAY_EVENT_MASTER_KEY"),
    ):
        assert name in wrong
    assert "hush-hush" not in wrong


@pytest.mark.usefixtures("_bare")
def test_an_empty_environment_has_nothing_wrong_and_no_audit_key() -> None:
    found = probe_settings()
    assert (found.wrong, found.unknown) == ((), {})
    assert found.no_audit_key
