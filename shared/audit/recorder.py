"""Writes audit rows, inside the transaction of what they tell of."""

from collections.abc import Callable

from shared.audit.chain import Entry, Row, sealed
from shared.audit.keys import Keys
from shared.audit.plain import told
from shared.audit.who import Who
from shared.delivery.postgres import Session

LONGEST_ID = 512
# The key is not in the database, so the hash is made here, between these two. Whoever locks the
# head first goes first: others of the tenant wait until the transaction ends.
LOCK_HEAD = "SELECT sequence, row_hash, at FROM audit_lock_head()"
APPEND = "SELECT audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"

Pseudonym = Callable[[str, str], str]
"""Of a tenant and one of its users."""


class Recorder:
    """Appends to chains."""

    def __init__(self, keys: Keys, pseudonym: Pseudonym | None = None) -> None:
        """Without `pseudonym`, a keyed digest stands for a user."""
        self.keys = keys
        self._pseudonym = pseudonym or keys.digest

    async def write(self, connection: Session, tenant_id: str, who: Who, done: Entry) -> Row:
        """Append a row; the transaction is bound to the tenant already.

        Best as its last statement: from here on the tenant's other changes wait.
        """
        if not connection.is_in_transaction():
            raise RuntimeError("an audit row is written in the transaction of what it tells of")
        head = await connection.fetchrow(LOCK_HEAD)
        assert head is not None  # noqa: S101 - the function answers a row, or raises
        row = Row(
            tenant_id,
            head["sequence"] + 1,
            head["at"],
            *(who.actor, who.role, done.action, done.object_type),
            self._identity(tenant_id, done.object_id),
            self._told(tenant_id, done.before),
            self._told(tenant_id, done.after),
            *(who.request_id, self.keys.current, head["row_hash"]),
        )
        hash_ = sealed(row, self.keys)
        assert hash_ is not None  # noqa: S101 - the current key is here
        await connection.execute(APPEND, *row[1:13], hash_)
        return row._replace(row_hash=hash_)

    def _identity(self, tenant_id: str, identity: str) -> str:
        return identity if len(identity) <= LONGEST_ID else self.keys.digest(tenant_id, identity)

    def _told(self, tenant_id: str, content: object) -> str | None:
        return told(
            content,
            lambda text: self.keys.digest(tenant_id, text),
            lambda user: self._pseudonym(tenant_id, user),
        )
