"""A run is good when nothing is wrong and nothing stood still; both are shown."""

from rich.console import Console

from benchmarks.chaos.compare import Defect, Finding
from benchmarks.chaos.report import Report, as_json, as_tables
from benchmarks.chaos.throughput import Throughput

FAIR = Throughput("relay killed", 100.0, 98.0, 0.97, "usage", 7.0, 31.0)
SLOW = Throughput("worker frozen", 100.0, 79.0, 0.79, "cache", 20.0, 30.0)
UNKNOWN = Throughput("Redis away", unknown="the run was too short for it")


def report(*throughputs: Throughput, findings: tuple[Finding, ...] = ()) -> Report:
    return Report(
        seed=1,
        seconds=60,
        published=1,
        handled=1,
        calls=1,
        copies=1,
        lost_bells=1,
        done_after=1.0,
        findings=findings,
        injected=(),
        rate=50.0,
        throughputs=throughputs,
    )


def test_a_run_is_good_unless_something_is_wrong_or_too_slow() -> None:
    assert report(FAIR, UNKNOWN).is_good
    assert not report(FAIR, SLOW).is_good
    assert not report(FAIR, findings=(Finding(Defect.LOST, "row", "1"),)).is_good


def test_each_ratio_or_why_there_is_none_is_shown() -> None:
    console = Console(width=160)
    with console.capture() as shown:
        console.print(*as_tables(report(FAIR, SLOW, UNKNOWN)), sep="\n")

    assert "0.97" in shown.get()
    assert "0.79" in shown.get()
    assert "the run was too short for it" in shown.get()
    figures = as_json(report(FAIR, UNKNOWN))["throughput"]
    assert [each["ratio"] for each in figures] == [0.97, None]
    assert figures[1]["unknown"] == "the run was too short for it"
