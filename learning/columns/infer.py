"""What a column is, from the different values in it: the order in which kinds are tried."""

from dataclasses import replace

from learning.columns.context import Context, Finding
from learning.columns.infer_dates import infer_dates, infer_times
from learning.columns.infer_labels import infer_labels
from learning.columns.infer_notes import infer_notes
from learning.columns.infer_numbers import infer_numbers
from learning.schema.column import Column
from learning.schema.notice import Notice

MAX_EXAMPLES = 5


def infer(context: Context) -> Finding:
    """Return what a column is. Each guess is a notice; what can be two things is asked."""
    found = _infer(context)
    correction = context.correction
    column = replace(
        found.column,
        name=context.name,
        position=context.position,
        examples=tuple(value[:60] for value in context.tally.values[:MAX_EXAMPLES]),
    )
    if correction.positive_class is not None:
        column = replace(column, positive_class=correction.positive_class)
    if correction.ignore is not None:
        column = replace(column, ignore=correction.ignore)
    return Finding(column, found.notices)


def _infer(context: Context) -> Finding:
    wanted = context.correction.type
    if not context.tally.values:
        message = f"The column '{context.name}' has no values: it is not learnt from."
        return Finding(Column(context.name, "empty"), [Notice("empty", message, context.name)])
    if wanted in {"category", "text", "id", "constant", "empty"}:
        return infer_labels(context)
    if wanted == "date" or context.correction.format:
        return infer_dates(context) or infer_times(context) or infer_labels(context)
    if wanted == "number" or context.correction.decimal_mark:
        return infer_times(context) or infer_numbers(context) or infer_labels(context)
    if context.tally.distinct == 1 and context.tally.complete:
        return infer_labels(context)
    for kind in (infer_notes, infer_dates, infer_times, infer_numbers):
        found = kind(context)
        if found is not None:
            return found
    return infer_labels(context)
