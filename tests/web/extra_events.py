"""An event type of an extra package that the database has not been migrated to."""

from events import Event


class ParcelSent(Event):
    """A fact of another product."""

    type = "parcel.sent"
