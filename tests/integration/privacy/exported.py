"""A person with something in every store, among others."""

from typing import Any
from uuid import uuid4

from tests.integration.privacy.parts import (
    EXPOSURES,
    FEEDBACK,
    NAMES,
    OPERATIONS,
    Abtest,
    Feedback,
    Ingest,
)
from tests.integration.privacy.test_abtest import begin, exposure
from tests.support.events import encoded, operation
from tests.support.events import feedback as said
from tests.support.system import Rows

ANNA = "anna-of-acme"
PSEUDONYM = NAMES.pseudonym("acme", ANNA)
TEXT = "a planted text of hers"
OTHERS_TEXT = "what others wrote"


def hers(number: int, **changes: Any) -> dict[str, Any]:
    """An operation of the person."""
    return operation(
        number,
        user_id=ANNA,
        session_id=f"session of hers {number}",
        input_text=f"{TEXT} {number}",
        output_text=f"answer to {TEXT} {number}",
        metadata={"note": f"{TEXT} in metadata"},
        **changes,
    )


def theirs(number: int, **changes: Any) -> dict[str, Any]:
    """An operation of somebody else."""
    return operation(
        number, user_id="bob", input_text=OTHERS_TEXT, output_text=OTHERS_TEXT, **changes
    )


def opinion(number: int, who: str, **changes: Any) -> dict[str, Any]:
    return said(number, event_id=str(uuid4()), user_id=who, rating=4, **changes)


async def world(ingest: Ingest, feedback: Feedback, abtest: Abtest, rows: Rows) -> dict[str, Any]:
    """She did 1 and 2 and spoke of 1 and 3; bob did 3 and spoke of 1; all of it in a test."""
    by_user = await begin(rows, "by-user")
    by_session = await begin(rows, "by-session", unit="session_id")
    await ingest.take(OPERATIONS, [hers(1), hers(2), theirs(3), theirs(4)])
    await abtest.take(ingest.last)
    judged = [
        opinion(1, ANNA, comment=f"{TEXT} commented", correction=f"{TEXT} corrected"),
        opinion(3, ANNA, correction=f"{TEXT} given to bob"),
        opinion(1, "bob", comment=OTHERS_TEXT, correction=f"{OTHERS_TEXT} instead"),
        opinion(2, "carl", comment=OTHERS_TEXT, metadata={"note": OTHERS_TEXT}),
        opinion(3, "carl"),
        opinion(99, ANNA, comment=f"{TEXT} of what never came"),
    ]
    await ingest.take(FEEDBACK, judged)
    await feedback.take(ingest.last)
    await abtest.take(ingest.last)
    exposed = ingest.records(EXPOSURES, [exposure(by_user, ANNA)])
    await abtest.take(exposed)
    await feedback.make()
    await rows(
        "INSERT INTO datasets"
        " (tenant_id, dataset_id, name, version, filters, splits, state, created_by)"
        " VALUES ('acme', gen_random_uuid(), 'set', 1, '{}', '{\"train\": 1}', 'freezing', 'key:x')"
    )
    await feedback.freeze()
    wrong = hers(50)
    del wrong["model_id"]
    of_bob = theirs(51)
    del of_bob["model_id"]
    of_globex = hers(52, tenant_id="globex", agent_id="acme")
    del of_globex["model_id"]
    await ingest.take(
        OPERATIONS,
        [
            encoded(wrong),
            encoded(of_bob),
            encoded(of_globex),
            f'{{"tenant_id":"acme","who":"{ANNA}","text":"{TEXT} unread'.encode(),
            f'{{"tenant_id":"globex","of":"acme","who":"{ANNA}","text":"{TEXT} of globex'.encode(),
        ],
    )
    queue = uuid4()
    await rows(
        "INSERT INTO review_queues"
        " (tenant_id, queue_id, name, reviewers, strategy, filters, created_by)"
        " VALUES ('acme', $1, 'q', 2, 'random', '{}', 'key:x')",
        queue,
    )
    for number, reviewer, words in ((1, "eve", OTHERS_TEXT), (4, ANNA, f"{TEXT} reviewed")):
        await rows(
            "INSERT INTO review_items (tenant_id, queue_id, operation_id, model_id, score, reason)"
            " VALUES ('acme', $1, $2, 'm', 1, 'why')",
            *(queue, f"op-{number}"),
        )
        await rows(
            "INSERT INTO review_takes"
            " (tenant_id, queue_id, operation_id, place, reviewer, taken_at, expires_at,"
            " reviewed_at, said)"
            " VALUES ('acme', $1, $2, 1, $3, now(), now(), now(), $4)",
            *(queue, f"op-{number}", reviewer, f'{{"rating": 2, "comment": "{words}"}}'),
        )
    for one, other in ((f"user:{PSEUDONYM}", "user:bob"), ("user:carl", "user:dora")):
        await rows(
            "INSERT INTO rater_pairs (tenant_id, one, other, shared, agreed)"
            " VALUES ('acme', $1, $2, 9, 7) ON CONFLICT DO NOTHING",
            *(one, other),
        )
        await rows(
            "INSERT INTO rater_reliability (tenant_id, rater, reliability, reckoned_at)"
            " VALUES ('acme', $1, 0.5, now())",
            one,
        )
    return {"by_user": by_user, "by_session": by_session}
