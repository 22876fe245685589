"""A table and a wish that fit together: all that is needed to learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from learning.algorithm import Algorithm
from learning.algorithms import algorithm_called, problem_type_for
from learning.evaluation import evaluate
from learning.features import Features, cleaned, features_of, transformer
from learning.hyperparameters import Setting, checked
from learning.progress import OnProgress, stage
from learning.reading import read_table
from learning.splitting import split
from learning.target import ProblemType, Target, target_in
from learning.trained import Trained


@dataclass(frozen=True, slots=True)
class Task:
    """What `prepare` found to be in order; nothing is learnt yet."""

    frame: pd.DataFrame
    target: Target
    features: Features
    algorithm: Algorithm
    settings: Mapping[str, Setting]

    @property
    def problem_type(self) -> ProblemType:
        """The one asked for, or the one that the data decided."""
        return self.target.problem_type

    @property
    def row_count(self) -> int:
        """How many rows the file has, without the line of column names."""
        return len(self.frame)

    def learn(self, on_progress: OnProgress) -> Trained:
        """Fit and examine a model on one core, telling the progress from 10 to 100 percent."""
        on_progress(10.0, "Preparing the columns")
        model = self._unfitted()
        with threadpool_limits(1):
            metrics = self._fit(model, on_progress)
        on_progress(100.0, "Finished")
        is_classifier = self.problem_type == "classification"
        return Trained(
            model=model,
            problem_type=self.problem_type,
            algorithm=self.algorithm.name,
            metrics=metrics,
            row_count=self.row_count,
            column_count=len(self.frame.columns),
            feature_names=self.features.numeric + self.features.categorical,
            classes=tuple(str(label) for label in model.classes_) if is_classifier else None,
        )

    def _unfitted(self) -> Pipeline:
        estimator = self.algorithm.estimators[self.problem_type]
        return Pipeline(
            [
                ("features", transformer(self.features)),
                ("model", estimator(**self.algorithm.fixed, **self.settings)),
            ]
        )

    def _fit(self, model: Pipeline, on_progress: OnProgress) -> dict[str, float]:
        rows = cleaned(self.frame, self.features)
        to_learn, to_examine = split(self.target)
        # The parts are fitted where they stand: Pipeline.fit could not tell its progress.
        matrix = model["features"].fit_transform(rows.loc[to_learn])
        truth = self.target.truth[to_learn]
        self.algorithm.fit(model["model"], matrix, truth, stage(on_progress, 15.0, 90.0))
        on_progress(90.0, "Evaluating")
        return evaluate(model, rows.loc[to_examine], self.target)


def prepare(
    source: BinaryIO | Path,
    *,
    target: str,
    algorithm: str,
    problem_type: str | None,
    hyperparameters: Mapping[str, object],
) -> Task:
    """Read a CSV file and make sure that what is asked for can be learnt from it.

    The arguments are those of `train`. Every `LearningError` is raised here, none later.
    """
    chosen = algorithm_called(algorithm)
    wish = problem_type_for(chosen, problem_type)
    settings = checked(chosen.rules, hyperparameters)
    frame = read_table(source).frame
    found = target_in(frame, target, wish)
    return Task(frame, found, features_of(frame, target), chosen, settings)
