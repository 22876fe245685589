"""What happened to users."""

from typing import Annotated

from pydantic import StringConstraints

from events.event import Text, UserEvent

Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", to_lower=True)
]


class UserSignedUp(UserEvent):
    """A person opened an account."""

    type = "user.signed_up"

    email: Email
    name: Text | None = None


class UserEmailVerified(UserEvent):
    """A person proved that the address is theirs."""

    type = "user.email_verified"


class UserLoggedIn(UserEvent):
    """A person signed in."""

    type = "user.logged_in"

    method: Text | None = None


class UserUpdated(UserEvent):
    """A person changed their address or name; what is left out stays as it was."""

    type = "user.updated"

    email: Email | None = None
    name: Text | None = None


class UserDeleted(UserEvent):
    """A person closed their account."""

    type = "user.deleted"


class AnalyticsChoiceMade(UserEvent):
    """A person allowed product analytics or opted out of it; the latest word counts.

    It is never pruned, so that an opt-out is never forgotten.
    """

    type = "user.analytics_choice_made"
    is_kept = True

    opted_out: bool
