"""A/B tests as a person runs them: made, started and asked over HTTP, decided by nobody's hand."""

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.system.running import Up, until

# By this one, single looks on the way call the two that are alike different (z = 2.1).
SEED = 20_260
USERS = 2_000
CALLS = 2
BATCH = 500
ASK_AT_ONCE = 4
DEADLINE_S = 45
CONTROL, OTHER = "old", "new"
MODELS = {CONTROL: "model-old", OTHER: "model-new"}
METRICS = [
    {"name": "success_rate", "role": "primary", "min_effect": 0.02},
    {"name": "response_time_ms", "role": "guardrail", "margin": 0.1, "relative": True},
    {"name": "helpful", "role": "secondary"},
]


class Arm(NamedTuple):
    """How a variant truly is."""

    success: float
    ms: float = 400.0
    helpful: float = 0.6


class Sent(NamedTuple):
    """What was sent of a variant."""

    users: int
    operations: int
    successes: int
    helpful: int


def begin(up: Up, key: str) -> str:
    """A test that runs, and counts only the operations of an agent of its own name."""
    status, made = up.request(
        "/ai/ab-tests",
        {
            "key": key,
            "variants": [
                {"key": CONTROL, "model_id": MODELS[CONTROL], "weight": 0.5, "is_control": True},
                {"key": OTHER, "model_id": MODELS[OTHER], "weight": 0.5},
            ],
            "filter": {"agent_id": key},
            "metrics": METRICS,
            "min_runtime_hours": 0,
        },
    )
    assert (status, made["state"]) == (201, "draft"), made
    status, started = up.request(f"/ai/ab-tests/{made['id']}/start", {})
    assert (status, started["state"]) == (200, "running"), started
    return str(made["id"])


def assigned(up: Up, test_id: str, users: Sequence[str], more: str = "") -> dict[str, list[str]]:
    """Users by the variant that the gateway gives them, asked for one at a time."""
    address = urlsplit(up.env["ASSAY_GATEWAY_URL"])
    headers = {"Authorization": f"Bearer {up.env['ASSAY_ADMIN_KEY']}"}

    def ask(some: Sequence[str]) -> list[tuple[str, str]]:
        connection = HTTPConnection(str(address.hostname), address.port, timeout=20)
        found = []
        for user in some:
            path = f"/ai/ab-tests/{test_id}/assignment?user_id={user}{more}"
            connection.request("GET", path, headers=headers)
            answer = json.load(connection.getresponse())
            assert answer["in_test"], answer
            assert answer["model_id"] == MODELS[answer["variant"]]
            found.append((answer["variant"], user))
        connection.close()
        return found

    with ThreadPoolExecutor(ASK_AT_ONCE) as pool:
        parts = pool.map(ask, [users[place::ASK_AT_ONCE] for place in range(ASK_AT_ONCE)])
    pairs = sorted(pair for part in parts for pair in part)
    return {key: [user for variant, user in pairs if variant == key] for key in MODELS}


def post(up: Up, path: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Send events in batches, all of which must be taken."""
    for place in range(0, len(events), BATCH):
        batch = events[place : place + BATCH]
        status, answer = up.request(path, batch)
        assert status == 202, answer
        assert (answer["accepted"], answer["rejected"]) == (len(batch), 0), answer


def work(
    up: Up, key: str, users: Mapping[str, Sequence[str]], arms: Mapping[str, Arm]
) -> dict[str, Sent]:
    """Operations of every user, and his opinion of each; the variants' users take turns.

    What the n-th user of a variant meets is drawn from a fixed seed: a test's salt is new in each
    run, so who that is is not.
    """
    rounds: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    sent = {}
    for variant, arm in arms.items():
        random = Random(f"{SEED} {variant}")
        successes = helpful = 0
        for place, user in enumerate(users[variant]):
            for call in range(CALLS):
                operation = {
                    "operation_id": f"{user}-{call}",
                    "model_id": MODELS[variant],
                    "agent_id": key,
                    "user_id": user,
                    "variant": variant,
                    "success": random.random() < arm.success,
                    "response_time_ms": arm.ms * math.exp(random.gauss(0, 0.3)),
                }
                opinion = {
                    "operation_id": operation["operation_id"],
                    "user_id": user,
                    "helpful": random.random() < arm.helpful,
                }
                successes += operation["success"]
                helpful += opinion["helpful"]
                rounds.append((place, operation, opinion))
        count = len(users[variant])
        sent[variant] = Sent(count, count * CALLS, successes, helpful)
    rounds.sort(key=lambda one: one[0])
    post(up, "/ai/operations/log", [operation for _, operation, _ in rounds])
    post(up, "/ai/feedback/submit", [opinion for _, _, opinion in rounds])
    return sent


def results(up: Up, test_id: str) -> dict[str, Any]:
    """What a test says by now."""
    status, answer = up.request(f"/ai/ab-tests/{test_id}/results")
    assert status == 200, answer
    return dict(answer)


def counted(answer: Mapping[str, Any]) -> dict[str, Sent]:
    """What the results hold of each variant, as sums."""

    def total(one: Mapping[str, Any], metric: str) -> int:
        return round((one["metrics"][metric]["value"] or 0) * one["operations"])

    return {
        one["key"]: Sent(
            one["units"], one["operations"], total(one, "success_rate"), total(one, "helpful")
        )
        for one in answer["variants"]
    }


def operations(answer: Mapping[str, Any]) -> int:
    """How many the results hold."""
    return sum(one["operations"] for one in answer["variants"])


def comparison(answer: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """The new variant beside the old in a metric."""
    return dict(next(one for one in answer["comparisons"] if one["metric"] == metric))


def own_steps(up: Up, test_id: str) -> list[tuple[str, str]]:
    """State and reason of the steps that no person took."""
    history = up.request(f"/ai/ab-tests/{test_id}")[1]["history"]
    return [(one["state"], one["reason"]) for one in history if one["actor"] is None]


def is_paused_by_itself(up: Up, test_id: str, user: str) -> bool:
    """Whether it paused, says so, and gives everybody the control."""
    status, found = up.request(f"/ai/ab-tests/{test_id}/assignment?user_id={user}")
    assert status == 200, found
    served = (found["variant"], found["in_test"], found["reason"])
    told = any(state == "paused" for state, _ in own_steps(up, test_id))
    return told and served == (CONTROL, False, "paused")


def test_a_better_variant_is_to_be_shipped(up: Up) -> None:
    test_id = begin(up, "better")
    users = assigned(up, test_id, [f"better-{number}" for number in range(USERS)])
    assert assigned(up, test_id, users[OTHER][:50])[OTHER] == users[OTHER][:50]
    arms = {CONTROL: Arm(0.80), OTHER: Arm(0.92, helpful=0.75)}
    sent = work(up, "better", users, arms)
    until(lambda: counted(results(up, test_id)) == sent, "all is counted", DEADLINE_S)
    answer = results(up, test_id)
    assert (answer["verdict"], answer["winner"], answer["state"]) == ("SHIP", OTHER, "running")
    success = comparison(answer, "success_rate")
    assert success["significant"]
    assert success["low"] < 0.12 < success["high"]
    assert comparison(answer, "response_time_ms")["non_inferior"]
    assert comparison(answer, "helpful")["significant"]
    assert not answer["srm"]["broken"]
    assert answer["multiple_exposures"]["units"] == 0
    listed = up.request("/ai/ab-tests")[1]["items"]
    assert [one["verdict"] for one in listed if one["id"] == test_id] == ["SHIP"]


def test_of_two_that_are_alike_neither_is_shipped_or_stopped(up: Up) -> None:
    test_id = begin(up, "alike")
    users = assigned(up, test_id, [f"alike-{number}" for number in range(USERS)])
    sent = work(up, "alike", users, {CONTROL: Arm(0.9), OTHER: Arm(0.9)})
    said = set()

    def all_counted() -> bool:
        answer = results(up, test_id)
        said.add(answer["verdict"])
        return counted(answer) == sent

    until(all_counted, "all is counted", DEADLINE_S)
    assert said <= {"NO_DIFFERENCE", "KEEP_RUNNING", "COLLECTING"}
    answer = results(up, test_id)
    assert (answer["winner"], answer["state"]) == (None, "running")
    assert not comparison(answer, "success_rate")["significant"]


def test_a_split_that_loses_users_of_one_variant_is_broken_and_paused(up: Up) -> None:
    test_id = begin(up, "lossy")
    users = assigned(up, test_id, [f"lossy-{at}" for at in range(600)], "&expose=false")
    kept = [(CONTROL, user) for user in users[CONTROL]]
    kept += [(OTHER, user) for user in users[OTHER][::4]]
    Random(SEED).shuffle(kept)
    post(
        up,
        "/ai/exposures/log",
        [{"test_id": test_id, "unit_id": user, "variant": variant} for variant, user in kept],
    )
    until(lambda: results(up, test_id)["state"] == "paused", "it pauses by itself", DEADLINE_S)
    answer = results(up, test_id)
    assert (answer["verdict"], answer["winner"]) == ("BROKEN", None)
    assert answer["srm"]["broken"]
    assert all(one["difference"] is None for one in answer["comparisons"])
    # Gateways look at tests once a second.
    until(lambda: is_paused_by_itself(up, test_id, users[OTHER][0]), "the control for all")


def test_a_variant_that_harms_is_stopped_by_itself(up: Up) -> None:
    test_id = begin(up, "harmful")
    users = assigned(up, test_id, [f"harmful-{number}" for number in range(600)])
    arms = {CONTROL: Arm(0.92), OTHER: Arm(0.92, ms=800.0)}
    work(up, "harmful", users, arms)
    until(lambda: results(up, test_id)["state"] == "paused", "it pauses by itself", DEADLINE_S)
    answer = results(up, test_id)
    assert (answer["verdict"], answer["winner"]) == ("STOP_HARM", None)
    assert comparison(answer, "response_time_ms")["harmed"]
    assert OTHER in answer["recommendation"]
    until(lambda: is_paused_by_itself(up, test_id, users[OTHER][0]), "the control for all")
    status, again = up.request(f"/ai/ab-tests/{test_id}/start", {"note": "we know better"})
    assert (status, again["state"]) == (200, "running")
    before = operations(results(up, test_id))
    more = sum(sent.operations for sent in work(up, "harmful", users, arms).values())
    until(lambda: operations(results(up, test_id)) >= before + more, "more is counted", DEADLINE_S)
    answer = results(up, test_id)
    # Whoever started it again knew what it says: it is not paused for the same once more.
    assert (answer["verdict"], answer["state"]) == ("STOP_HARM", "running")
