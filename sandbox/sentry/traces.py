"""Transactions of one trace as a list of bars, for a page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SHOWN = 60


@dataclass(frozen=True)
class Bar:
    """One span: where it begins and how long it lasts, in percent of the whole and in ms."""

    op: str
    name: str
    left: float
    width: float
    milliseconds: float
    is_root: bool


@dataclass(frozen=True)
class Trace:
    """All that happened in one trace, in whatever processes, by time."""

    trace_id: str
    name: str
    bars: list[Bar]


def traces_of(transactions: Iterable[dict[str, Any]]) -> list[Trace]:
    """The newest traces, those first that went through several processes."""
    by_id: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in transactions:
        by_id[each["contexts"]["trace"]["trace_id"]].append(each)
    newest = sorted(by_id.items(), key=lambda item: (len(item[1]) > 1, start(item[1][0])))
    return [trace_of(trace_id, parts) for trace_id, parts in newest[::-1][:SHOWN]]


def trace_of(trace_id: str, transactions: list[dict[str, Any]]) -> Trace:
    """The bars of a trace."""
    spans = sorted((span for each in transactions for span in spans_of(each)), key=start)
    first, last = start(spans[0]), max(end(span) for span in spans)
    length = max(last - first, 1e-9)
    bars = [
        Bar(
            op=span.get("op") or "",
            name=str(span.get("description") or "")[:200],
            left=100 * (start(span) - first) / length,
            width=max(0.4, 100 * (end(span) - start(span)) / length),
            milliseconds=round(1000 * (end(span) - start(span)), 1),
            is_root="transaction" in span,
        )
        for span in spans
    ]
    names = dict.fromkeys(str(each.get("transaction")) for each in transactions)
    return Trace(trace_id, " → ".join(names), bars)


def spans_of(transaction: dict[str, Any]) -> list[dict[str, Any]]:
    """A transaction as a span, and its spans."""
    context = transaction.get("contexts", {}).get("trace", {})
    whole = {"op": context.get("op"), "description": transaction.get("transaction")}
    whole |= {name: transaction[name] for name in ("start_timestamp", "timestamp", "transaction")}
    return [whole, *transaction.get("spans", [])]


def start(span: dict[str, Any]) -> float:
    """When it began, in seconds since the epoch."""
    return seconds(span["start_timestamp"])


def end(span: dict[str, Any]) -> float:
    """When it ended."""
    return seconds(span["timestamp"])


def seconds(at: float | str) -> float:
    """A moment of the wire, a number or an ISO time, in seconds since the epoch."""
    if isinstance(at, str):
        return datetime.fromisoformat(at).timestamp()
    return float(at)
