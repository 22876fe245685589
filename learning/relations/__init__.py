"""What one column tells about another: copies, formulas, groups, order of time."""

from learning.relations.training import training_notices

__all__ = ["training_notices"]
