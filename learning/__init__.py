"""Machine learning on a user's table: profile, train, evaluate, save, predict.

`profile` says what a file is: a `Schema`, frozen from then on, and notices for a person, whose
`Corrections` lead to the next profile. `prepare` reads the file by the schema for a training,
`answer` applies it to rows for a prediction; neither guesses again.

Knows data frames and models only, never settings, databases or queues. Whatever is wrong
with a user's data or request is raised as a `LearningError` that says what to do.
"""

from learning.applying import Applied, read, transform
from learning.errors import (
    BadCorrection,
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
from learning.prediction import Answer, Prediction, answer, predict
from learning.profiling import Profile, profile
from learning.progress import OnProgress, ThrottledProgress
from learning.schema.column import Column
from learning.schema.corrections import Corrections, changes, read_corrections
from learning.schema.notice import Notice
from learning.schema.schema import Schema
from learning.trained_model import TrainedModel, load, save
from learning.training import Training, prepare

__all__ = [
    "Answer",
    "Applied",
    "BadCorrection",
    "BadHyperparameter",
    "Column",
    "Corrections",
    "LearningError",
    "MissingColumns",
    "Notice",
    "OnProgress",
    "Prediction",
    "Profile",
    "Schema",
    "ThrottledProgress",
    "TooFewRows",
    "TrainedModel",
    "Training",
    "UnknownAlgorithm",
    "UnknownTarget",
    "UnreadableData",
    "UnreadableModel",
    "UnusableTarget",
    "answer",
    "changes",
    "load",
    "predict",
    "prepare",
    "profile",
    "read",
    "read_corrections",
    "save",
    "transform",
]
