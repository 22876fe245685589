"""A transaction as a list of bars, for a page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Bar:
    """One span: where it begins and how long it lasts, in percent of the whole and in ms."""

    op: str
    name: str
    left: float
    width: float
    milliseconds: float


@dataclass(frozen=True)
class Trace:
    """A transaction and its spans."""

    name: str
    trace_id: str
    tags: dict[str, Any]
    bars: list[Bar]


def spans_of(transaction: dict[str, Any]) -> Trace:
    """The bars of a transaction, its own first."""
    context = transaction.get("contexts", {}).get("trace", {})
    whole = {"op": context.get("op"), "description": transaction.get("transaction")}
    whole |= {name: transaction[name] for name in ("start_timestamp", "timestamp")}
    spans = [whole, *transaction.get("spans", [])]
    first = min(seconds(span["start_timestamp"]) for span in spans)
    last = max(seconds(span["timestamp"]) for span in spans)
    length = max(last - first, 1e-9)
    bars = []
    for span in spans:
        start, end = seconds(span["start_timestamp"]), seconds(span["timestamp"])
        left, width = 100 * (start - first) / length, max(0.5, 100 * (end - start) / length)
        name = str(span.get("description") or "")[:120]
        bars.append(Bar(span.get("op") or "", name, left, width, round(1000 * (end - start), 1)))
    return Trace(
        str(transaction.get("transaction")),
        str(context.get("trace_id")),
        transaction.get("tags") or {},
        bars,
    )


def seconds(at: float | str) -> float:
    """A moment of the wire, a number or an ISO time, in seconds since the epoch."""
    if isinstance(at, str):
        return datetime.fromisoformat(at).timestamp()
    return float(at)
