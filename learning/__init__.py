"""Machine learning on a user's table: profile, train, evaluate, save, predict.

Knows data frames and models only, never settings, databases or queues. Whatever is wrong
with a user's data or request is raised as a `LearningError` that says what to do.
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
from learning.prediction import Prediction, predict
from learning.profiling import ColumnProfile, DatasetProfile, profile
from learning.progress import OnProgress, ThrottledProgress
from learning.trained_model import TrainedModel, load, save
from learning.training import Training, prepare

__all__ = [
    "BadHyperparameter",
    "ColumnProfile",
    "DatasetProfile",
    "LearningError",
    "MissingColumns",
    "OnProgress",
    "Prediction",
    "ThrottledProgress",
    "TooFewRows",
    "TrainedModel",
    "Training",
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
]
