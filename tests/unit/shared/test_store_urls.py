"""TLS that is half asked for is refused at start, by name, and not left out in silence."""

from pathlib import Path

import pytest
import typer

from deploy.cli.options import owner_dsn
from deploy.cli.options import redis_url as redis_url_of_jobs
from shared.settings import PostgresSettings, SharedSettings, load
from shared.store_urls import StoreUrlError, check_postgres, check_redis

POSTGRES, REDIS = "postgresql://u:never-to-be-shown@db/d", "//u:never-to-be-shown@cache:1/0"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text("whatever: the client reads it")
    return file


def said(variables: pytest.MonkeyPatch, **changes: str) -> str:
    variables.setenv("ASSAY_KAFKA_BOOTSTRAP_SERVERS", "a:1")
    for name, value in changes.items():
        variables.setenv(f"ASSAY_{name}", value)
    kind = SharedSettings if "REDIS_URL" in changes else PostgresSettings
    with pytest.raises(SystemExit) as caught:
        load(kind)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["", "sslmode=disable&", "sslmode=allow&", "sslmode=prefer&"])
def test_an_authority_that_postgres_mode_would_not_ask(
    monkeypatch: pytest.MonkeyPatch, ca: Path, mode: str
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    dsn = f"{POSTGRES}?{mode}sslrootcert={ca}"
    why = said(monkeypatch, POSTGRES_DSN=dsn)
    assert why.startswith("ASSAY_POSTGRES_DSN is wrong")
    assert "sslrootcert is not looked at by sslmode=" in why
    assert "never-to-be-shown" not in why
    with pytest.raises(typer.Exit):
        owner_dsn()


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_an_authority_that_is_asked(monkeypatch: pytest.MonkeyPatch, ca: Path, mode: str) -> None:
    check_postgres(f"{POSTGRES}?sslmode={mode}&sslrootcert={ca}")
    monkeypatch.setenv("PGSSLMODE", mode)
    check_postgres(f"{POSTGRES}?sslrootcert={ca}")


@pytest.mark.parametrize("more", ["", "?ssl_check_hostname=true", "?ssl_ca_certs=ca.pem"])
def test_tls_is_spoken_by_rediss_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_text("")
    check_redis(f"rediss:{REDIS}{more}")
    if not more:
        check_redis(f"redis:{REDIS}")
        return
    why = said(monkeypatch, REDIS_URL=f"redis:{REDIS}{more}")
    assert why.startswith("ASSAY_REDIS_URL is wrong")
    assert "only rediss:// speaks" in why
    assert "never-to-be-shown" not in why
    with pytest.raises(typer.Exit):
        redis_url_of_jobs()


def test_files_that_are_not_there_are_named() -> None:
    with pytest.raises(StoreUrlError, match="sslrootcert cannot be read: No such file"):
        check_postgres(f"{POSTGRES}?sslmode=verify-full&sslrootcert=/no/ca.pem")
    with pytest.raises(StoreUrlError, match="ssl_ca_certs cannot be read: No such file"):
        check_redis(f"rediss:{REDIS}?ssl_ca_certs=/no/ca.pem")


@pytest.mark.parametrize("url", ["http://h/d", "h:5432/d", "host=h dbname=d", "redis:h", "//h"])
def test_what_is_no_url_of_the_store_is_refused(url: str) -> None:
    for check in (check_postgres, check_redis):
        with pytest.raises(StoreUrlError, match="does not begin with"):
            check(url.replace("redis:h", "mysql://h"))
