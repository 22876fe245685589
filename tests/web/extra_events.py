"""A type of an extra package, which no migration has told the database."""

from events import Event


class ParcelSent(Event):
    """Something that this product knows nothing of."""

    type = "parcel.sent"
