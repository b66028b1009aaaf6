"""Ids of what we make ourselves."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A UUIDv7: ids that were made later sort later."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
