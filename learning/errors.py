"""What can be wrong with a user's data or request, in one tree.

LearningError
├── UnreadableData
├── UnknownTarget
├── UnusableTarget
├── TooFewRows
├── UnknownAlgorithm
├── BadHyperparameter
├── MissingColumns
├── BadCorrection
└── UnreadableModel
"""

from collections.abc import Iterable

from errors import InsightsError

# What a message quotes from a file, so that it stays readable however wide the file is and
# however long its values are.
MAX_NAMES = 20
MAX_CHARACTERS = 60


class LearningError(InsightsError):
    """The base of the tree; the message is a sentence for the user."""


class UnreadableData(LearningError):
    """Raised when a file is no table of text that can be learnt from."""


class UnknownTarget(LearningError):
    """Raised when the target column is not in the file."""


class UnusableTarget(LearningError):
    """Raised when the target column exists, but a model cannot learn from its values."""


class TooFewRows(LearningError):
    """Raised when fewer than `MIN_ROWS` rows have a target value."""


class UnknownAlgorithm(LearningError):
    """Raised for an unknown algorithm or problem type, or two that do not match."""


class BadHyperparameter(LearningError):
    """Raised for a hyperparameter that the algorithm does not have, or a value out of range."""


class MissingColumns(LearningError):
    """Raised when rows to predict lack columns that the model was trained on."""


class BadCorrection(LearningError):
    """Raised when a correction names what is not there, or an answer that is no choice."""


class UnreadableModel(LearningError):
    """Raised when a file is not a model written by `save`."""


def listed(names: Iterable[str]) -> str:
    """Return `a, b, c` for a message: the first `MAX_NAMES` names and how many more there are."""
    every = [shortened(name) for name in names]
    if len(every) <= MAX_NAMES:
        return ", ".join(every)
    return f"{', '.join(every[:MAX_NAMES])} and {len(every) - MAX_NAMES:,} more"


def shortened(value: object) -> str:
    """Return the value as text for a message, cut to `MAX_CHARACTERS` characters."""
    text = str(value)
    if len(text) <= MAX_CHARACTERS:
        return text
    return text[: MAX_CHARACTERS - 1] + "…"
