"""How many connections to PostgreSQL each kind of process may open: pools do not overflow."""

WEB = 10  # requests that find none free wait, and are answered 503 after 10 s
# One each for /readyz and /metrics, so that a full pool does not look like a lost database.
PROBES = 2
RELAY = 1
SCHEDULER = 1
NOTES = 1
HEARTBEAT = 1


def of_web() -> int:
    """One `insights web`."""
    return WEB + PROBES


def pool_of_worker(threads: int) -> int:
    """What the batches of a worker process hold, and one more to look what is due and who lives."""
    return threads + 1


def of_worker(threads: int) -> int:
    """One worker process: its pool, one that notes what is in hand, one of its heartbeat."""
    return pool_of_worker(threads) + NOTES + HEARTBEAT


def of_one_each(threads: int, workers: int = 2) -> int:
    """What `insights up` runs: an API, a relay, a scheduler and so many workers."""
    return of_web() + RELAY + SCHEDULER + workers * of_worker(threads)
