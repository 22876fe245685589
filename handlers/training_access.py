"""What a training may still do: with which ids and files, and whether it may go on at all."""

from pathlib import PurePosixPath

from sqlalchemy.orm import Session

from errors import InsightsError
from events import TrainingRequested
from models.owners import Claim, Kind, owner_of, refuted
from models.profile_news import deleted
from models.trainings import final_status
from services import Services
from services.storage import dataset_path, parts_of

DELETED = "deleted"  # with its user's account
NO_MODEL = ("failed", "cancelled", DELETED)  # how trainings end that leave no model behind


class NotOwned(InsightsError):
    """Raised when a training asks for an id or a file of another user; a sentence for the user."""


class TrainingStopped(InsightsError):
    """Raised in a training that goes on no longer: nothing more is published or stored of it.

    `status` is how it ended, DELETED too; None where another worker has it now.
    """

    def __init__(self, status: str | None) -> None:
        super().__init__(f"It is {status}." if status else "Another worker has it now.")
        self.status = status


def require_open(
    event: TrainingRequested, services: Services, session: Session, *, lock: bool
) -> None:
    """Raise TrainingStopped where the training has ended, or is not this worker's any more.

    It ends with its user's account, too: the upstream app deletes their files, and none may come
    after that.

    With `lock` neither can happen before this transaction ends. Without it nobody is waited for,
    so that a cancellation that takes long to commit does not hold up the work.
    """
    if not services.holds_lease(session, event.id):
        raise TrainingStopped(None)
    status = status_of(event, session, lock=lock)
    if status is not None:
        raise TrainingStopped(status)


def status_of(event: TrainingRequested, session: Session, *, lock: bool) -> str | None:
    """How a training ended; None while it did not."""
    if deleted(session, [event.user_id]):
        return DELETED
    return final_status(session, event.training_id, event.user_id, lock=lock)


def require_own_ids(event: TrainingRequested, session: Session) -> None:
    """Raise NotOwned where another user has the data set, the training or its model."""
    wanted = {Kind.TRAINING: event.training_id, Kind.DATASET: event.dataset_id}
    wanted[Kind.MODEL] = event.training_id
    others = refuted(session, [Claim(kind, id_, event.user_id) for kind, id_ in wanted.items()])
    if not others:
        return
    taken = {claim.kind for claim in others}
    if Kind.DATASET in taken:
        raise NotOwned(f"The data set '{event.dataset_id}' belongs to another user.")
    what = "training" if Kind.TRAINING in taken else "model"
    raise NotOwned(
        f"The {what} '{event.training_id}' belongs to another user. "
        "Ask for the training again under a new id."
    )


def csv_paths(event: TrainingRequested, session: Session) -> list[str]:
    """Where the training's CSV may be, the likeliest first: all are the user's.

    Raises NotOwned for a path of others, and NotStored for one that leads out of the folder.
    """
    if event.path:
        require_own_path(event.path, event, session)
        return [event.path]
    old = f"{event.dataset_id}.csv"  # data sets of before lie beside the users' folders
    path = dataset_path(event.user_id, event.dataset_id)
    return [path, old] if owns_old_file(event, old, session) else [path]


def require_own_path(path: str, event: TrainingRequested, session: Session) -> None:
    """Raise NotOwned unless a path is in the user's folder, or the user's data set of before."""
    folder, *rest = parts_of(path)
    if not ((folder == str(event.user_id) and rest) or owns_old_file(event, path, session)):
        raise NotOwned(f"The path '{path}' is not yours: yours begin with '{event.user_id}/'.")


def owns_old_file(event: TrainingRequested, path: str, session: Session) -> bool:
    """Whether a path is that of a data set as it was stored before, of this user."""
    parts = parts_of(path)
    name = PurePosixPath(parts[0])
    if len(parts) > 1 or name.suffix != ".csv":
        return False
    return owner_of(session, Kind.DATASET, name.stem) == event.user_id
