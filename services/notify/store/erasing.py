"""notify's part of an erasure: deliveries tell of rules and models, never of people."""

from shared.delivery.postgres import Session
from shared.privacy.eraser import Did
from shared.privacy.tasks import Task


async def erase(connection: Session, task: Task) -> Did:
    """There is nothing to remove."""
    del connection, task
    return Did(removed=0)
