"""What is learnt from a person's table: profile, train, evaluate, save, predict.

Knows tables and models only. Nothing here reads settings, databases or queues, and
whatever is wrong with a person's data ends as a `LearningError` that says what to do.
"""

from learning.errors import (
    BadHyperparameter,
    LearningError,
    MissingColumns,
    TooFewRows,
    UnknownAlgorithm,
    UnknownTarget,
    UnreadableData,
    UnreadableModel,
    UnusableTarget,
)
from learning.predicting import Prediction, predict
from learning.profiling import ColumnProfile, DatasetProfile, profile
from learning.progress import OnProgress, Throttle
from learning.storing import load, save
from learning.task import Task, prepare
from learning.trained import Trained
from learning.training import train

__all__ = [
    "BadHyperparameter",
    "ColumnProfile",
    "DatasetProfile",
    "LearningError",
    "MissingColumns",
    "OnProgress",
    "Prediction",
    "Task",
    "Throttle",
    "TooFewRows",
    "Trained",
    "UnknownAlgorithm",
    "UnknownTarget",
    "UnreadableData",
    "UnreadableModel",
    "UnusableTarget",
    "load",
    "predict",
    "prepare",
    "profile",
    "save",
    "train",
]
