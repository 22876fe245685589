"""What happened to the newsletter."""

from events.event import Event
from events.users import Email


class NewsletterSubscribed(Event):
    """Somebody, known or not, asked for the newsletter."""

    type = "newsletter.subscribed"

    email: Email
