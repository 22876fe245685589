"""What happened to data sets."""

from pydantic import NonNegativeFloat, NonNegativeInt

from events.event import Reference, Text, UserEvent


class DatasetUploaded(UserEvent):
    """A file became a data set; `size_mb` is in megabytes (1,000,000 bytes)."""

    type = "dataset.uploaded"

    dataset_id: Reference
    filename: Text
    size_mb: NonNegativeFloat
    row_count: NonNegativeInt
    column_count: NonNegativeInt


class DatasetDeleted(UserEvent):
    """A data set was deleted and no longer counts against the plan."""

    type = "dataset.deleted"

    dataset_id: Reference
