"""The steps of the demo, and what each of them prints."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rich.columns import Columns
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.demo.client import Client, DemoFailed
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
from services.storage import Storage, dataset_path, model_path

FREE_LIMIT = 100  # predictions a month on the free plan
PREDICTIONS = 80  # 80% of that, where the warning is sent
EMAIL = "ada@example.com"
TARGET = "malignant"


@dataclass
class Story:
    """One user signs up, uploads a data set, trains a model and makes predictions."""

    client: Client
    doubles: Doubles
    storage: Storage
    console: Console
    user_id: UUID

    def run(self) -> None:
        """Run all steps. Raises DemoFailed at the first thing that is not as it should be."""
        self.sign_up()
        dataset_id = self.upload()
        training_id = self.train(dataset_id)
        self.predict(training_id)
        self.fail_a_handler()
        self.check_analytics()
        self.check_usage()

    def sign_up(self) -> None:
        event = UserSignedUp(user_id=self.user_id, email=EMAIL, name="Ada")
        self.show_heading("Ada signs up")
        self.client.publish(event)
        self.show_handlers(event.type, self.client.wait_until_handled(event.id))
        self.show_email("welcome")

    def upload(self) -> str:
        """Upload the breast-cancer data that scikit-learn ships; return the data set's id.

        The last rows are kept back: the model is to predict what it never saw.
        """
        table = breast_cancer().head(-PREDICTIONS)
        dataset_id = f"breast-cancer-{self.user_id.hex[-8:]}"
        with self.storage.open(dataset_path(self.user_id, dataset_id), "wb") as file:
            written = file.write(table.to_csv(index=False).encode())
        event = DatasetUploaded(
            user_id=self.user_id,
            dataset_id=dataset_id,
            filename="breast_cancer.csv",
            size_mb=written / 1_000_000,
            row_count=len(table),
            column_count=len(table.columns),
        )
        self.show_heading(f"She uploads {event.filename} with {event.row_count} rows")
        self.client.publish(event)
        self.show_handlers(event.type, self.client.wait_until_handled(event.id))
        return dataset_id

    def train(self, dataset_id: str) -> str:
        """Train a model, with a bar that moves with its live progress; return its id."""
        event = TrainingRequested(
            user_id=self.user_id,
            training_id=f"training-{uuid7().hex[-12:]}",
            dataset_id=dataset_id,
            target=TARGET,
            model_name="Tumours",
            hyperparameters={"n_estimators": 300},
        )
        self.show_heading("She trains a random forest of 300 trees")
        # Another thread waits for the handlers, while this one moves the bar.
        with (
            progress_bar(self.console) as bar,
            ThreadPoolExecutor(1) as pool,
            self.client.progress(event.training_id) as updates,
        ):
            task = bar.add_task("Waiting for a worker", total=100)
            self.client.publish(event)
            handled = pool.submit(self.client.wait_until_handled, event.id)
            for update in updates:
                bar.update(task, completed=update["progress"], description=update["message"])
        if update["status"] != "completed":
            raise DemoFailed(f"The training is {update['status']}: {update['message']}")
        self.show_handlers(event.type, handled.result())
        completed = named_id(event.id, "training.completed")
        self.show_handlers("training.completed", self.client.wait_until_handled(completed))
        self.show_email("training_complete")
        return event.training_id

    def predict(self, training_id: str) -> None:
        """Make real predictions until 80% of the free plan is used, which sends one warning."""
        from learning import load, predict

        with self.storage.open(model_path(self.user_id, training_id)) as file:
            model = load(file)
        rows = breast_cancer().tail(PREDICTIONS)
        answers = predict(model, rows.drop(columns=TARGET))
        right = sum(
            str(answer.label) == truth for answer, truth in zip(answers, rows[TARGET], strict=True)
        )
        self.show_heading(
            f"She predicts {PREDICTIONS} rows that the model never saw: {right} are right"
        )
        events = [
            PredictionMade(user_id=self.user_id, model_id=training_id) for _ in range(PREDICTIONS)
        ]
        self.client.publish(*events)
        self.show_handlers(
            f"prediction.made × {PREDICTIONS}", self.client.wait_until_handled(events[-1].id)
        )
        # The follow-up's id is made of what it is about, so that it is published once.
        month = f"{events[-1].occurred_at:%Y-%m}"
        warning = named_id("usage", self.user_id, "predictions", month, FREE_LIMIT, "80")
        self.show_handlers("usage.threshold_reached", self.client.wait_until_handled(warning))
        self.show_email("limit_warning")

    def fail_a_handler(self) -> None:
        """Sentry has the error of a handler once, in the trace that began at the HTTP API."""
        event = DemoMishap(user_id=self.user_id)
        self.show_heading("A handler with a bug fails")
        self.client.publish(event)
        error = self.doubles.error(event.id)
        kind, trace_id = (
            error["exception"]["values"][-1]["type"],
            error["contexts"]["trace"]["trace_id"],
        )
        names = " and ".join(self.doubles.trace(trace_id))
        self.show_effect(f"Sentry has one error: a {kind} in handler {error['tags']['handler']}")
        self.show_effect(f"it belongs to the trace {trace_id} of {names}")

    def check_analytics(self) -> None:
        """PostHog has captured all of it, each event once."""
        names = ("user_signed_up", "dataset_uploaded", "training_completed", "prediction_made")
        found = Counter(self.doubles.captured(self.user_id, *names))
        self.show_heading("What PostHog has captured of her")
        self.show_effect(", ".join(f"{name} × {count}" for name, count in found.items()))
        if found["prediction_made"] != PREDICTIONS:
            raise DemoFailed(f"It should be {PREDICTIONS} predictions.")

    def check_usage(self) -> None:
        """The usage that the HTTP API reports is exactly what happened."""
        resources = self.client.get(f"/users/{self.user_id}/usage")["resources"]
        table = Table("resource", "used", "limit", "remaining", title="Ada's plan: free")
        used = {}
        for each in resources:
            used[each["resource"]] = each["used"]
            table.add_row(each["resource"], *(str(each[k]) for k in ("used", "limit", "remaining")))
        self.console.print()
        self.console.print(table)
        expected = {"datasets": 1, "trainings": 1, "predictions": PREDICTIONS}
        if used != expected:
            raise DemoFailed(f"The usage should be {expected}, but it is {used}.")

    def show_email(self, template: str) -> None:
        """Print the subject of an email once it has arrived. Raises DemoFailed unless it is one."""
        mail = self.doubles.mail(template, EMAIL)
        self.show_effect(f"an email to Ada: “{mail['subject']}”")

    def show_effect(self, effect: str) -> None:
        """Print what reached a provider."""
        line = Table.grid(padding=(0, 1))
        line.add_row(" ", "[cyan]→[/cyan]", effect)
        self.console.print(line, highlight=False)

    def show_heading(self, heading: str) -> None:
        self.console.print(f"\n[bold]{heading}[/bold]")

    def show_handlers(self, event: str, done: dict[str, float]) -> None:
        """Print which handlers are done with an event, and how many milliseconds each took."""
        handlers = Columns(
            [f"[green]✓[/green] {name} {ms:.0f} ms" for name, ms in done.items()], padding=(0, 2)
        )
        line = Table.grid(padding=(0, 1))
        line.add_column(width=26, no_wrap=True)
        line.add_row(f"  {event}", handlers if done else "[dim]no handler follows from it[/dim]")
        self.console.print(line)


def breast_cancer() -> Any:
    """A DataFrame of 30 numeric columns and the target, "yes" or "no"."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame[TARGET] = frame.pop("target").map({0: "yes", 1: "no"})
    return frame


def progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.description:<28}"),
        BarColumn(bar_width=36),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
    )
