"""Lays out the spans of each trace as bars on a time axis, for the errors page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MAX_TRACES = 60  # on the page


@dataclass(frozen=True)
class Bar:
    """One span; `left` and `width` are percent of the trace's duration."""

    op: str
    name: str
    left: float
    width: float
    milliseconds: float
    is_root: bool


@dataclass(frozen=True)
class Trace:
    """All spans of one trace, of all processes, ordered by start."""

    trace_id: str
    name: str
    bars: list[Bar]


def traces_of(transactions: Iterable[dict[str, Any]]) -> list[Trace]:
    """The newest traces; first those with several transactions, which show how they connect."""
    by_id: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in transactions:
        by_id[each["contexts"]["trace"]["trace_id"]].append(each)
    newest = sorted(by_id.items(), key=lambda item: (len(item[1]) > 1, start(item[1][0])))
    return [trace_of(trace_id, parts) for trace_id, parts in newest[::-1][:MAX_TRACES]]


def trace_of(trace_id: str, transactions: list[dict[str, Any]]) -> Trace:
    """The bars of one trace."""
    spans = sorted((span for each in transactions for span in spans_of(each)), key=start)
    first, last = start(spans[0]), max(end(span) for span in spans)
    duration = max(last - first, 1e-9)  # never 0: it is divided by
    bars = [
        Bar(
            op=span.get("op") or "",
            name=str(span.get("description") or "")[:200],
            left=100 * (start(span) - first) / duration,
            width=max(0.4, 100 * (end(span) - start(span)) / duration),
            milliseconds=round(1000 * (end(span) - start(span)), 1),
            is_root="transaction" in span,
        )
        for span in spans
    ]
    names = dict.fromkeys(str(each.get("transaction")) for each in transactions)
    return Trace(trace_id, " → ".join(names), bars)


def spans_of(transaction: dict[str, Any]) -> list[dict[str, Any]]:
    """A transaction as a span of its own, and its spans."""
    context = transaction.get("contexts", {}).get("trace", {})
    whole = {"op": context.get("op"), "description": transaction.get("transaction")}
    whole |= {name: transaction[name] for name in ("start_timestamp", "timestamp", "transaction")}
    return [whole, *transaction.get("spans", [])]


def start(span: dict[str, Any]) -> float:
    """When a span began, in seconds since the epoch."""
    return seconds(span["start_timestamp"])


def end(span: dict[str, Any]) -> float:
    return seconds(span["timestamp"])


def seconds(at: float | str) -> float:
    """A timestamp, a number or an ISO time in Sentry's protocol, in seconds since the epoch."""
    if isinstance(at, str):
        return datetime.fromisoformat(at).timestamp()
    return float(at)
