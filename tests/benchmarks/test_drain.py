"""What is reported of drains: the rates, and the ratios that are held against targets."""

from benchmarks.scenarios.drain import (
    ANALYTICS_OFF,
    ANALYTICS_ON,
    CELERY,
    CONSUMER,
    DRAMATIQ,
    PGQUEUER,
    PURE_SQL,
    SYNTHETIC,
    Drain,
    others,
)
from benchmarks.servers import BenchServers
from benchmarks.sizes import QUICK

RATES = {
    SYNTHETIC: 1_200.0,
    CONSUMER: 1_000.0,
    ANALYTICS_OFF: 840.0,
    ANALYTICS_ON: 599.0,
    PURE_SQL: 2_400.0,
    DRAMATIQ: 101.0,
    PGQUEUER: 100.0,
    CELERY: 50.0,
}


def test_ratios_are_held_against_their_targets() -> None:
    figures = {each.name: each for each in Drain(RATES, commands_per_event=0.1).figures()}

    assert {name: figures[name].value for name in RATES} == RATES
    found = {name: each.ok for name, each in figures.items() if each.ok is not None}
    assert found == {
        "insights / consumer written by hand": True,
        "insights / dramatiq": False,
        "product, analytics off / synthetic": True,
        "product, analytics on / synthetic": False,
        "Redis commands": True,
    }
    assert figures["insights / Celery"].value == 24


def test_everybody_is_measured_who_is_compared(given_servers: BenchServers) -> None:
    assert {SYNTHETIC, *others(given_servers, QUICK)} == set(RATES)
