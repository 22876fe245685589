"""What an error of the database means, decided by its SQLSTATE in one place for every process.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from enum import StrEnum

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Trouble(StrEnum):
    """Why a statement failed that was not wrong itself.

    Away: the server cannot work now, whatever it is asked. Conflict: another transaction was in the
    way. Ended: a time-out of the server ended the session, since it stood idle for too long.
    """

    AWAY = "away"
    CONFLICT = "conflict"
    ENDED = "ended"


# Whole classes: connection exceptions, insufficient resources (full disk, out of memory, too many
# connections), system errors outside of PostgreSQL (I/O; poolers answer with 58000 too).
AWAY_CLASSES = frozenset({"08", "53", "58"})

# Read-only (a replica, a fail-over, a provider's full disk), shutting down, crashed, starting up or
# failing over ("cannot connect now"), dropped.
AWAY_STATES = frozenset({"25006", "57P01", "57P02", "57P03", "57P04"})

# Serialization failure, deadlock, lock time-out.
CONFLICT_STATES = frozenset({"40001", "40P01", "55P03"})

# idle_in_transaction_session_timeout, transaction_timeout, idle_session_timeout.
ENDED_STATES = frozenset({"25P03", "25P04", "57P05"})


def trouble_of(error: BaseException) -> Trouble | None:
    """Classify an error; None for one that the statement itself, or our code, is to blame for.

    An error of the driver without an SQLSTATE is a lost or refused connection. So is a pool in
    which no connection got free: all of them wait for the server. Whatever else ends the session
    is not of the statement either: Supabase's pooler says so with XX000, an internal error.
    """
    if isinstance(error, PoolTimeout):
        return Trouble.AWAY
    if not isinstance(error, DBAPIError):
        return None
    state = sqlstate_of(error)
    if state is None:
        return Trouble.AWAY if is_of_the_connection(error) else None
    if state in CONFLICT_STATES:
        return Trouble.CONFLICT
    if state in ENDED_STATES:
        return Trouble.ENDED
    away = state[:2] in AWAY_CLASSES or state in AWAY_STATES or ended_the_session(error)
    return Trouble.AWAY if away else None


def is_away(error: BaseException) -> bool:
    """Whether the database cannot work now, so that the same will succeed later."""
    return trouble_of(error) is Trouble.AWAY


def sqlstate_of(error: DBAPIError) -> str | None:
    """PostgreSQL's code of an error; None where it did not get to say one."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def ended_the_session(error: DBAPIError) -> bool:
    """Whether the server, or a pooler, closed the connection with its answer."""
    answer = getattr(error.orig, "diag", None)
    return getattr(answer, "severity_nonlocalized", None) in {"FATAL", "PANIC"}


def is_of_the_connection(error: DBAPIError) -> bool:
    """Whether an error without an SQLSTATE came from the connection, not from our parameters.

    psycopg raises OperationalError and InterfaceError for the one, DataError and ProgrammingError
    (a value that cannot be adapted, a wrong placeholder) for the other.
    """
    return type(error).__name__ in {"OperationalError", "InterfaceError"}
