"""A key that differs empties every number: an operator must hear of it from each service."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.entry import say_trust
from shared.errors import InvalidRecordError
from shared.proof import Proofs, Unproven
from shared.settings import SharedSettings

OURS, THEIRS = "a" * 32, "b" * 32
TOPIC, VALUE = "ai.operations.v1", b"{}"


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("shared.clock.monotonic", clock)
    return clock


def settings(trust: str, key: str | None = OURS) -> SharedSettings:
    return SharedSettings(
        kafka_bootstrap_servers="a:1",
        redis_url="redis://a",
        event_trust=trust,
        event_master_key=key,
    )


def counted(why: Unproven) -> float:
    return REGISTRY.get_sample_value("assay_unproven_total", {"why": why}) or 0


def refuse(verifier: Proofs | None, *proofs: tuple[str, bytes], times: int = 1) -> None:
    assert verifier is not None
    for _ in range(times):
        with pytest.raises(InvalidRecordError):
            verifier.check(TOPIC, "acme", VALUE, proofs)


@pytest.mark.parametrize(
    ("proofs", "why", "said"),
    [
        ((), Unproven.NO_PROOF, "does not sign"),
        ([Proofs({"1": THEIRS.encode()}).header(TOPIC, "acme", VALUE)], Unproven.OTHER, "differs"),
        (
            [Proofs({"2": OURS.encode()}).header(TOPIC, "acme", VALUE)],
            Unproven.UNKNOWN_KEY,
            "no key",
        ),
        (
            [Proofs({"1": OURS.encode()}).header(TOPIC, "acme", VALUE)] * 2,
            Unproven.SEVERAL,
            "twice",
        ),
    ],
)
def test_each_reason_is_counted_and_told_with_what_it_may_mean(
    proofs: list[tuple[str, bytes]], why: Unproven, said: str
) -> None:
    before = counted(why)
    with capture_logs() as logs:
        refuse(settings("signed").verifier, *proofs)
    (told,) = logs
    assert (told["event"], told["log_level"]) == ("records_unproven", "error")
    assert told["records"] == {why.value: 1}
    assert told["last"] == f"acme on {TOPIC}"
    assert said in told["why"]
    assert counted(why) == before + 1


def test_a_flood_of_them_is_told_once_a_minute_and_counted_whole(time: Clock) -> None:
    verifier, before = settings("signed").verifier, counted(Unproven.NO_PROOF)
    with capture_logs() as logs:
        refuse(verifier, times=500)
        time.now += 59
        refuse(verifier)
        assert len(logs) == 1
        time.now += 2
        refuse(verifier)
    assert [one["records"] for one in logs] == [{"no_proof": 1}, {"no_proof": 501}]
    assert counted(Unproven.NO_PROOF) == before + 502


def test_what_is_proven_is_no_cause_for_a_word() -> None:
    found = settings("signed")
    assert found.verifier is not None
    assert found.signer is not None
    with capture_logs() as logs:
        found.verifier.check(TOPIC, "acme", VALUE, [found.signer.header(TOPIC, "acme", VALUE)])
    assert logs == []


def test_services_with_other_keys_say_other_fingerprints_and_no_key() -> None:
    with capture_logs() as logs:
        for key in (OURS, OURS, THEIRS, f"2:{THEIRS} 1:{OURS}"):
            say_trust(settings("signed", key))
        say_trust(settings("open", None))
    ours, same, theirs, both = (one["fingerprints"] for one in logs[:4])
    assert ours == same != theirs
    assert list(both) == ["2", "1"]
    assert both == {"2": theirs["1"], "1": ours["1"]}
    assert (logs[4]["event"], logs[4]["log_level"]) == ("event_trust_open", "warning")
    assert OURS not in str(logs)
