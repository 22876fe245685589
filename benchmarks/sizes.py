"""How much of everything is measured: enough for figures, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts, unless a unit says otherwise."""

    events: int = 50_000
    # A message for each event and handler is slow, so these rivals get fewer: rates are compared.
    message_events: int = 3_000
    rounds: int = 2
    users: int = 1_000
    workers: int = 2
    publishing: float = 5.0  # s for each way of publishing
    sustaining: float = 20.0  # s of publishing and handling at once
    per_second: int = 50  # events whose latency is measured
    listening: float = 20.0  # s
    # s; two minutes and a little, because scenarios/idle.py must see two of each minute's tests
    idling: float = 125.0
    single: int = 20  # events of a kind, one at a time
    few_owed: int = 50_000
    many_owed: int = 1_000_000
    draining_many: float = 15.0  # s of the many that are measured
    old_events: int = 2_000_000
    mailing: float = 20.0  # s of sending emails
    mails: int = 40
    flood: int = 10_000  # emails owed before a welcome


QUICK = Sizes(
    events=2_000,
    message_events=200,
    rounds=1,
    users=100,
    workers=1,
    publishing=0.5,
    sustaining=1.0,
    listening=1.0,
    idling=2.0,
    single=5,
    few_owed=4_000,
    many_owed=40_000,
    draining_many=1.0,
    old_events=20_000,
    mailing=2.0,
    mails=8,
    flood=200,
)
