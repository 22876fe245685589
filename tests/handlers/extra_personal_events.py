"""An event with personal fields, as a package of EXTRA_PACKAGES may bring it along."""

from typing import Annotated

from events.event import Text, UserEvent
from events.personal import personal


class InvoiceAddressed(UserEvent):
    """An invoice was addressed."""

    type = "invoice.addressed"

    number: int
    to: Annotated[Text, personal("nobody@erased.invalid")]
    copies: Annotated[list[Text], personal([])]
    note: Annotated[Text | None, personal()] = None
