"""What is said about a target before a training."""

import pandas as pd

from learning.relations.classes import class_notices
from learning.relations.giveaway import copies_of_labels, formulas_of_numbers
from learning.relations.groups import group_notices, time_notices
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.schema.schema import Schema
from learning.target import Target


def training_notices(
    frame: pd.DataFrame, target: Target, schema: Schema, column: Column
) -> list[Notice]:
    """Return what is to be known about a target; `frame` has the first rows of the others."""
    known = target.values.index.intersection(frame.index)
    sampled = Target(target.problem_type, target.values.loc[known])
    if target.problem_type == "classification":
        notices = copies_of_labels(frame, sampled.values)
    else:
        notices = formulas_of_numbers(frame, sampled.values)
    notices += group_notices(frame, sampled, schema)
    notices += time_notices(frame, sampled, schema)
    notices += class_notices(target, schema)
    if column.reason is not None and column.reason.startswith("codes"):
        message = (
            f"The target '{column.name}' looks like a code, not an amount ({column.reason[7:]}): "
            "each code is a class."
        )
        notices.append(Notice("target_is_code", message, column=column.name))
    return notices
