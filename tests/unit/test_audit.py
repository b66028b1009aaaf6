"""What is made of pip-audit's words."""

import json

import pytest

from deploy.audit import accepted, read

SAFE = {"name": "safe", "version": "1.0", "vulns": []}
WEAK = {"name": "weak", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "local", "skip_reason": "not there"}


def test_a_vulnerability_is_told_with_the_version_that_mends_it() -> None:
    found = read(json.dumps({"dependencies": [SAFE, WEAK, SKIPPED]}), "")
    assert (found.packages, found.not_looked) == (2, "")
    assert found.vulnerabilities == ["weak 2.0: CVE-1, mended in 2.1"]


def test_without_a_network_it_says_so_and_never_that_all_is_well() -> None:
    found = read("", "Traceback …\nConnectionError: Failed to resolve 'api.osv.dev'\n")
    assert "Failed to resolve" in found.not_looked


@pytest.mark.parametrize("errors", ["", "ERROR: requirements.lock is no requirements file"])
def test_a_failure_is_no_missing_network(errors: str) -> None:
    with pytest.raises(ValueError, match="pip-audit failed"):
        read("", errors)


def test_what_is_accepted_has_a_reason() -> None:
    assert accepted("# a heading\nCVE-1  # we never parse XML\n\n") == ["CVE-1"]
    with pytest.raises(ValueError, match="CVE-2"):
        accepted("CVE-2\n")
