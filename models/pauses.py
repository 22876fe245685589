"""Handlers that an operator pauses and resumes."""

from sqlalchemy import Connection, text

PAUSE = text("UPDATE insights.handlers SET paused = true WHERE name = :handler RETURNING name")
RESUME = text("""
    UPDATE insights.handlers SET paused = false, failures_in_row = 0, resume_at = NULL
    WHERE name = :handler RETURNING name
""")
NAMES = text("SELECT name FROM insights.handlers ORDER BY name")


def pause(on: Connection, handler: str) -> bool:
    """Have nothing more handed out to a handler; False if there is none of that name."""
    return on.scalar(PAUSE, {"handler": handler}) is not None


def resume(on: Connection, handler: str) -> bool:
    """Undo `pause`, and end a rest too; False if there is no handler of that name."""
    return on.scalar(RESUME, {"handler": handler}) is not None


def handler_names(on: Connection) -> list[str]:
    """The handlers that the database knows."""
    return list(on.scalars(NAMES))
