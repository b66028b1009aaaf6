"""`make audit`: known vulnerabilities of the packages in the lock file, as OSV has them.

Ends with 1 when there is one. Where OSV cannot be reached it says so and ends with 0: whoever
works without a network can still check the rest.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
WITHIN_S = 300
ANSWERS_WITHIN_S = 10
ACCEPTED = ROOT / "deploy" / "audit-accepted.txt"
"""Identifiers, one a line, each with its reason behind a #."""

UNREACHABLE = re.compile(r"Connection|Timeout|timed out|resolve|ServiceError|unreachable", re.I)


class Audited(NamedTuple):
    """What was found, or why nothing was looked for."""

    packages: int
    vulnerabilities: list[str]
    not_looked: str = ""


def accepted(text: str) -> list[str]:
    """Identifiers of what we know and live with; a line without a reason is refused."""
    found = []
    for line in text.splitlines():
        name, _, reason = line.partition("#")
        if name.strip():
            if not reason.strip():
                raise ValueError(f"{name.strip()}: say behind a # why it does not concern us")
            found.append(name.strip())
    return found


def read(printed: str, errors: str) -> Audited:
    """What pip-audit said; it prints no JSON when its source does not answer.

    Raises `ValueError` when it failed for another reason: then nobody knows anything.
    """
    try:
        said: dict[str, Any] = json.loads(printed)
    except ValueError:
        last = errors.strip().rpartition("\n")[2][:200]
        if UNREACHABLE.search(last):
            return Audited(0, [], last)
        raise ValueError(f"pip-audit failed: {last or 'it said nothing'}") from None
    packages = [one for one in said["dependencies"] if "vulns" in one]
    lines = [
        f"{one['name']} {one['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for one in packages
        for vulnerability in one["vulns"]
    ]
    return Audited(len(packages), lines)


def main() -> None:
    """Ask, print, judge."""
    ignored = [part for one in accepted(ACCEPTED.read_text()) for part in ("--ignore-vuln", one)]
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock"),
                # Names and versions are all in the lock; nothing is to be resolved or installed.
                *("--disable-pip", "--no-deps", "--vulnerability-service", "osv"),
                *("--format", "json", "--progress-spinner", "off"),
                *("--timeout", str(ANSWERS_WITHIN_S), *ignored),
            ],
            cwd=ROOT,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"Vulnerabilities: not looked for, OSV did not answer within {WITHIN_S} s.")
        return
    found = read(done.stdout, done.stderr)
    if found.not_looked:
        print(f"Vulnerabilities: not looked for, OSV cannot be reached ({found.not_looked}).")
    elif found.vulnerabilities:
        print("\n".join(found.vulnerabilities))
        sys.exit(f"{len(found.vulnerabilities)} known vulnerabilities; see deploy/audit.py.")
    else:
        print(f"Vulnerabilities: none is known of {found.packages} packages.")


if __name__ == "__main__":
    main()
