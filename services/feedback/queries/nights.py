"""SQL of nights that are done with."""

from datetime import date

from shared.delivery.postgres import Session


async def begin(connection: Session, today: date) -> None:
    """Where no night was ever done, the first one comes after today."""
    await connection.execute(
        """
        INSERT INTO feedback_nights (day)
        SELECT $1 WHERE NOT EXISTS (SELECT FROM feedback_nights)
        ON CONFLICT (day) DO NOTHING
        """,
        today,
    )


async def is_done(connection: Session, day: date) -> bool:
    """Whether the night before a day, or before a later one, is done with."""
    # Days that a wrong clock marked ahead of time are none.
    found = await connection.fetchval(
        "SELECT max(day) >= $1 FROM feedback_nights WHERE day <= current_date + 1", day
    )
    return bool(found)


async def done(connection: Session, day: date) -> None:
    """The night before a day is done with."""
    await connection.execute(
        "INSERT INTO feedback_nights (day) VALUES ($1) ON CONFLICT (day) DO NOTHING", day
    )
