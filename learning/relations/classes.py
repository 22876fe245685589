"""What is said about the classes of a target: rare ones, unequal ones, the positive one."""

from learning.errors import listed, shortened
from learning.schema.notice import Notice
from learning.schema.schema import Schema
from learning.target import Target

IMBALANCE = 0.9  # share of the largest class, from which accuracy alone says little
RARE = 5  # rows of a class, below which its figures are luck
POSITIVE = frozenset("yes y true 1 positive pos ja ano tak oui si sí да 陽性 是".split())


def class_notices(target: Target, schema: Schema) -> list[Notice]:
    """Return notices about a classification's classes."""
    if target.problem_type != "classification":
        return []
    name = str(target.values.name)
    counts = target.values.value_counts()
    notices = []
    largest = counts.iloc[0] / counts.sum()
    if largest >= IMBALANCE:
        message = (
            f"{largest:.1%} of the rows are '{shortened(counts.index[0])}': a model that always "
            "says so has the same accuracy. Look at the figures of each class."
        )
        notices.append(Notice("imbalance", message, column=name))
    rare = [f"'{shortened(label)}' ({count})" for label, count in counts.items() if count < RARE]
    if rare:
        message = f"Classes with fewer than {RARE} rows can hardly be learnt: {listed(rare)}."
        notices.append(Notice("rare_class", message, column=name))
    if len(counts) == 2:
        positive = positive_class(target, schema)
        message = (
            f"'{shortened(positive)}' was taken for the positive class of '{name}', the one to be "
            "found. Choose the other if it is not."
        )
        notices.append(Notice("positive_class", message, column=name))
    return notices


def positive_class(target: Target, schema: Schema) -> str:
    """Return the class to be found: the person's choice, a word that says yes, or the rarer."""
    counts = target.values.value_counts()
    column = schema.column(str(target.values.name))
    if column is not None and column.positive_class in counts.index:
        return str(column.positive_class)
    named = [label for label in counts.index if str(label).strip().casefold() in POSITIVE]
    return str(named[0] if len(named) == 1 else counts.index[-1])
