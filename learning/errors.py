"""What can be wrong with a person's data or wishes, in one tree.

LearningError
├── UnreadableData
├── UnknownTarget
├── UnusableTarget
├── TooFewRows
├── UnknownAlgorithm
├── BadHyperparameter
├── MissingColumns
└── UnreadableModel
"""

from errors import InsightsError


class LearningError(InsightsError):
    """The base of the tree; the message is a sentence meant for the person."""


class UnreadableData(LearningError):
    """Raised when a file is no table of text that can be learnt from."""


class UnknownTarget(LearningError):
    """Raised when the column to predict is not in the file."""


class UnusableTarget(LearningError):
    """Raised when the column to predict is there, but its values teach nothing."""


class TooFewRows(LearningError):
    """Raised when fewer than `MIN_ROWS` rows have a value to predict."""


class UnknownAlgorithm(LearningError):
    """Raised for an unknown algorithm or problem type, or two that do not match."""


class BadHyperparameter(LearningError):
    """Raised for a setting that is not on the algorithm's list or is out of bounds."""


class MissingColumns(LearningError):
    """Raised when rows to predict lack columns that the model learnt from."""


class UnreadableModel(LearningError):
    """Raised when a file is not a model written by `save`."""
