"""What happened to users, and to subscribers of the newsletter."""

from typing import Annotated

from pydantic import PositiveInt, StringConstraints

from events.event import Event, Text, UserEvent
from events.personal import personal

# In small letters, so that one address is one contact. The pattern only refuses what cannot be an
# address: which addresses exist, only sending to them shows. Erased, it becomes one that can never
# exist (https://www.rfc-editor.org/rfc/rfc2606), since some events require an address.
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", to_lower=True),
    personal("erased@erased.invalid"),
]
Name = Annotated[Text, personal("")]


class UserSignedUp(UserEvent):
    """A user opened an account."""

    type = "user.signed_up"

    email: Email
    name: Name | None = None


class UserEmailVerified(UserEvent):
    """A user proved that the email address is theirs."""

    type = "user.email_verified"


class UserLoggedIn(UserEvent):
    """A user signed in; `method` is how, such as `password` or `google`."""

    type = "user.logged_in"

    method: Text | None = None


class UserUpdated(UserEvent):
    """A user changed their email address or name; a field that is left out stays as it was."""

    type = "user.updated"

    email: Email | None = None
    name: Name | None = None


class UserDeleted(UserEvent):
    """A user closed their account."""

    type = "user.deleted"


class UserErased(UserEvent):
    """What we store of a deleted user is erased; now others can erase what they keep.

    From its commit on, nothing new is written of the user anywhere.
    """

    type = "user.erased"
    is_internal = True


class AnalyticsChoiceMade(UserEvent):
    """A user allowed product analytics or opted out of it; the latest choice counts.

    It is never pruned, so that an opt-out is never forgotten.
    """

    type = "user.analytics_choice_made"
    is_kept = True

    opted_out: bool


class UserInactive(UserEvent):
    """A user has done nothing for `days` days; published once in each absence."""

    type = "user.inactive"
    is_internal = True

    days: PositiveInt


class NewsletterSubscribed(Event):
    """Somebody, with or without an account, subscribed to the newsletter."""

    type = "newsletter.subscribed"

    email: Email
