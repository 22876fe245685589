"""How much of everything: enough to measure, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Events, deliveries, users and worker processes are counts, the others seconds.

    One message per handler is slow, so those rivals are given fewer events: rates are compared.
    """

    events: int = 50_000
    dramatiq_events: int = 2_000
    celery_events: int = 1_000
    rounds: int = 2
    users: int = 1_000
    workers: int = 2
    publishing: float = 5.0
    sustaining: float = 20.0
    per_second: int = 50
    listening: float = 20.0
    idling: float = 125.0
    few_owed: int = 50_000
    many_owed: int = 1_000_000
    draining_many: float = 15.0
    old_events: int = 2_000_000
    mailing: float = 20.0
    mails: int = 40
    flood: int = 10_000


QUICK = Sizes(
    events=2_000,
    dramatiq_events=100,
    celery_events=50,
    rounds=1,
    users=100,
    workers=1,
    publishing=0.5,
    sustaining=1.0,
    listening=1.0,
    idling=2.0,
    few_owed=4_000,
    many_owed=40_000,
    draining_many=1.0,
    old_events=20_000,
    mailing=2.0,
    mails=8,
    flood=200,
)
