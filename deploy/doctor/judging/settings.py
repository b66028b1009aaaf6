"""Whether the environment can be read, and whether anything in it is misspelt."""

from deploy.doctor.facts import SettingsFacts
from deploy.doctor.finding import Finding, fail, listed, ok, warn

NAME = "settings"
TYPOS = "settings unknown"
AUDIT = "audit key"
WHERE = "set it, or take it from `assay up --env-file FILE`; docs/configuration.md has them all"


def judge_settings(facts: SettingsFacts) -> list[Finding]:
    """One finding of what is wrong, one of what nobody reads."""
    if facts.wrong:
        read = fail(NAME, "; ".join(facts.wrong), WHERE)
    else:
        read = ok(NAME, "every one that is set can be read")
    return [read, _misspelt(facts), _audit(facts)]


def _misspelt(facts: SettingsFacts) -> Finding:
    if not facts.unknown:
        return ok(TYPOS, "none")
    meant = [
        f"{name} (did you mean {other}?)" if other else name
        for name, other in sorted(facts.unknown.items())
    ]
    return warn(TYPOS, f"nobody reads {listed(meant)}", "rename or unset: it changes nothing")


def _audit(facts: SettingsFacts) -> Finding:
    if facts.no_audit_key is None:
        return ok(AUDIT, "what commands do can be told to the audit log")
    then = (
        "set ASSAY_AUDIT_KEY, ASSAY_AUDIT_KEY_FILE or ASSAY_SECRET_KEY as the gateway has it; "
        "commands that change something end without it"
    )
    return warn(AUDIT, facts.no_audit_key, then)
