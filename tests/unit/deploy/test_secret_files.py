"""Secrets are made once, are nobody's else, and fit together."""

import stat
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from deploy.jobs.redis_acls import USERS, acl_file
from deploy.jobs.roles import ROLE_OF
from deploy.jobs.secret_files import Places, make_secrets, passwords_in
from deploy.names import SERVICES
from shared.audit.keys import keys_of
from shared.proof import master_keys
from shared.settings import SecretSettings

PLACES = Places("db:5432/assay?sslmode=require", "assay", "cache:6380/0", True)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


def test_what_was_made_once_stays(tmp_path: Path) -> None:
    first = make_secrets(tmp_path / "secrets", PLACES)
    before = contents(tmp_path / "secrets")
    assert set(first) | {"redis-acl"} == before.keys()
    assert make_secrets(tmp_path / "secrets", PLACES) == []
    assert contents(tmp_path / "secrets") == before


def test_one_that_is_missing_is_made_and_known_to_redis(tmp_path: Path) -> None:
    make_secrets(tmp_path, PLACES)
    before = contents(tmp_path)
    (tmp_path / "redis-url-notify").unlink()
    assert make_secrets(tmp_path, PLACES) == ["redis-url-notify"]
    after = contents(tmp_path)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"redis-url-notify", "redis-acl"}
    assert (
        after["redis-acl"]
        == acl_file(
            {user: str(make_url(after[f"redis-url-{user}"]).password) for user in USERS}
        ).strip()
    )


def test_no_two_are_alike_and_each_is_long(tmp_path: Path) -> None:
    make_secrets(tmp_path, PLACES)
    found = contents(tmp_path)
    words = [found[name] for name in ("secret-key", "audit-key", "event-master-key")]
    words += [found["grafana-password"], found["postgres-password"]]
    words += [str(make_url(found[f"postgres-dsn-{one}"]).password) for one in SERVICES]
    words += [str(make_url(found[f"redis-url-{one}"]).password) for one in USERS]
    assert len(set(words)) == len(words)
    assert min(map(len, words)) >= 32


def test_others_of_this_machine_cannot_enter_the_folder(tmp_path: Path) -> None:
    make_secrets(tmp_path / "a" / "secrets", PLACES)
    assert stat.S_IMODE((tmp_path / "a" / "secrets").stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "secrets").iterdir()}
    assert modes == {0o444}


def test_services_take_what_was_made(tmp_path: Path) -> None:
    make_secrets(tmp_path, PLACES)
    found = contents(tmp_path)
    assert SecretSettings(secret_key=SecretStr(found["secret-key"])).secret
    assert keys_of(found["audit-key"], None).current == 1
    assert master_keys(found["event-master-key"])
    assert make_url(found["postgres-dsn-owner"]).password == found["postgres-password"]
    for service, role in ROLE_OF.items():
        dsn = found[f"postgres-dsn-{service}"]
        assert dsn.startswith(f"postgresql://{role}:")
        assert dsn.endswith("@db:5432/assay?sslmode=require")
        assert found[f"redis-url-{service}"].startswith(f"rediss://{service}:")


def test_the_roles_get_the_passwords_that_services_use(tmp_path: Path) -> None:
    make_secrets(tmp_path, PLACES)
    dsn = make_url((tmp_path / "postgres-dsn-ingest").read_text().strip())
    assert passwords_in(tmp_path)["ingest"] == dsn.password
    assert passwords_in(tmp_path).keys() == set(SERVICES)


def test_a_service_that_would_log_in_as_another_is_refused(tmp_path: Path) -> None:
    make_secrets(tmp_path, PLACES)
    path = tmp_path / "postgres-dsn-ingest"
    path.unlink()
    path.write_text((tmp_path / "postgres-dsn-gateway").read_text())
    with pytest.raises(ValueError, match="postgres-dsn-ingest names no password of svc_ingest"):
        passwords_in(tmp_path)


def test_redis_is_told_digests_only(tmp_path: Path) -> None:
    make_secrets(tmp_path, PLACES)
    found = contents(tmp_path)
    for user in USERS:
        password = str(make_url(found[f"redis-url-{user}"]).password)
        assert password not in found["redis-acl"]
        assert f"user {user} on #{sha256(password.encode()).hexdigest()} " in found["redis-acl"]
