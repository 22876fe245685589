"""The story that the demo tells, step by step, and how it looks on a terminal."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.demo.client import Client, StoryBroken
from cli.demo.mishap import DemoMishap
from cli.demo.providers import Doubles
from events import (
    DatasetUploaded,
    PredictionMade,
    TrainingRequested,
    UserSignedUp,
    named_id,
    uuid7,
)
from services.storage import Storage

PREDICTIONS = 80
GLUE = "\u00a0"
EMAIL = "ada@example.com"
TARGET = "malignant"


@dataclass
class Story:
    """One person: signs up, uploads, trains, predicts."""

    client: Client
    doubles: Doubles
    storage: Storage
    console: Console
    user_id: UUID

    def tell(self) -> None:
        """Tell it from the beginning to the end. Raises StoryBroken."""
        self.sign_up()
        dataset_id = self.upload()
        training_id = self.train(dataset_id)
        self.predict(training_id)
        self.stumble()
        self.be_counted()
        self.balance()

    def sign_up(self) -> None:
        """A profile follows from the sign-up."""
        event = UserSignedUp(user_id=self.user_id, email=EMAIL, name="Ada")
        self.heading("Ada signs up")
        self.client.publish(event)
        self.followed(event.type, self.client.follow(event.id))
        self.mailed("welcome")

    def upload(self) -> str:
        """Her data set, the breast-cancer data that scikit-learn ships, counts against her plan.

        The last rows are kept back: the model is to predict what it never saw.
        """
        table = breast_cancer().head(-PREDICTIONS)
        dataset_id = f"breast-cancer-{self.user_id.hex[-8:]}"
        with self.storage.open(f"{dataset_id}.csv", "wb") as file:
            written = file.write(table.to_csv(index=False).encode())
        event = DatasetUploaded(
            user_id=self.user_id,
            dataset_id=dataset_id,
            filename="breast_cancer.csv",
            size_mb=written / 1_000_000,
            row_count=len(table),
            column_count=len(table.columns),
        )
        self.heading(f"She uploads {event.filename}: {event.row_count} rows")
        self.client.publish(event)
        self.followed(event.type, self.client.follow(event.id))
        return dataset_id

    def train(self, dataset_id: str) -> str:
        """A worker trains, and the bar moves with the news from the Redis channel."""
        event = TrainingRequested(
            user_id=self.user_id,
            training_id=f"training-{uuid7().hex[-12:]}",
            dataset_id=dataset_id,
            target=TARGET,
            model_name="Tumours",
            hyperparameters={"n_estimators": 300},
        )
        self.heading("She trains a random forest of 300 trees")
        with progress_bar(self.console) as bar, ThreadPoolExecutor(1) as aside:
            task = bar.add_task("Waiting for a worker", total=100)
            news: dict[str, Any] = {}
            for news in self.client.progress(event.training_id):
                if not news:
                    self.client.publish(event)
                    done = aside.submit(self.client.follow, event.id)
                    continue
                bar.update(task, completed=news["progress"], description=news["message"])
        if news["status"] != "completed":
            raise StoryBroken(f"The training {news['status']}: {news['message']}")
        self.followed(event.type, done.result())
        completed = named_id(event.id, "training.completed")
        self.followed("training.completed", self.client.follow(completed))
        self.mailed("training_complete")
        return event.training_id

    def predict(self, training_id: str) -> None:
        """Real predictions until 80% of the free plan is used; one warning follows."""
        from learning import load, predict

        with self.storage.open(f"models/{training_id}.skops") as file:
            model = load(file)
        rows = breast_cancer().tail(PREDICTIONS)
        answers = predict(model, rows.drop(columns=TARGET))
        right = sum(
            str(answer.label) == truth for answer, truth in zip(answers, rows[TARGET], strict=True)
        )
        self.heading(
            f"She makes {PREDICTIONS} predictions on rows the model never saw: {right} are right"
        )
        events = [
            PredictionMade(user_id=self.user_id, model_id=training_id) for _ in range(PREDICTIONS)
        ]
        self.client.publish(*events)
        self.followed(f"prediction.made × {PREDICTIONS}", self.client.follow(events[-1].id))
        month = f"{events[-1].occurred_at:%Y-%m}"
        warning = named_id("usage", self.user_id, "predictions", month, "80")
        self.followed("usage.threshold_reached", self.client.follow(warning))
        self.mailed("limit_warning")

    def stumble(self) -> None:
        """A handler fails: Sentry has the error once, in the trace that began at the door."""
        event = DemoMishap(user_id=self.user_id)
        self.heading("A careless handler fails")
        self.client.publish(event)
        error = self.doubles.error(event.id)
        kind, trace = error["exception"]["values"][-1]["type"], error["contexts"]["trace"]
        self.told(f"Sentry has a {kind} of {error['tags']['handler']}, trace {trace['trace_id']}")
        self.told(f"which runs through {' and '.join(self.doubles.trace(trace['trace_id']))}")

    def be_counted(self) -> None:
        """Analytics knows all of it, each event once."""
        names = ("user_signed_up", "dataset_uploaded", "training_completed", "prediction_made")
        found = Counter(self.doubles.captured(self.user_id, *names))
        self.heading("What PostHog knows of her")
        self.told("  ".join(f"{name} × {count}" for name, count in found.items()))
        if found["prediction_made"] != PREDICTIONS:
            raise StoryBroken(f"It should be {PREDICTIONS} predictions.")

    def balance(self) -> None:
        """The usage as the door tells it; it must be exactly what happened."""
        told = self.client.get(f"/users/{self.user_id}/usage")["resources"]
        table = Table("resource", "used", "limit", "remaining", title="Ada's plan: free")
        used = {}
        for each in told:
            used[each["resource"]] = each["used"]
            table.add_row(each["resource"], *(str(each[k]) for k in ("used", "limit", "remaining")))
        self.console.print()
        self.console.print(table)
        expected = {"datasets": 1, "trainings": 1, "predictions": PREDICTIONS}
        if used != expected:
            raise StoryBroken(f"The usage should be {expected}, but it is {used}.")

    def mailed(self, template: str) -> None:
        """Say that an email arrived, once."""
        mail = self.doubles.mail(template, EMAIL)
        self.told(f"an email: “{mail['subject']}”")

    def told(self, what: str) -> None:
        """Say what reached a provider."""
        self.console.print(f"  [cyan]→[/cyan] {what}", highlight=False)

    def heading(self, what: str) -> None:
        """Say what happens next."""
        self.console.print(f"\n[bold]{what}[/bold]")

    def followed(self, what: str, done: dict[str, float]) -> None:
        """Say who did their part for an event, and how fast."""
        who = "  ".join(
            f"[green]✓[/green]{GLUE}{name}{GLUE}{ms:.0f}{GLUE}ms" for name, ms in done.items()
        )
        line = Table.grid(padding=(0, 1))
        line.add_column(width=26, no_wrap=True)
        line.add_row(f"  {what}", who or "[dim]nobody follows it yet[/dim]")
        self.console.print(line)


def breast_cancer() -> Any:
    """The data as a frame of 30 numeric columns and the target, "yes" or "no"."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame[TARGET] = frame.pop("target").map({0: "yes", 1: "no"})
    return frame


def progress_bar(console: Console) -> Progress:
    """A bar with a message, percent and seconds."""
    return Progress(
        TextColumn("  {task.description:<28}"),
        BarColumn(bar_width=36),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
    )
