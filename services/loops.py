"""Loops: transactional emails, contacts, and events that start and stop its workflows.

https://loops.so/docs/api-reference; ten requests a second, counted per team.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.http import Api
from services.redis.throttle import Throttle

ALREADY_SENT, UNKNOWN_CONTACT = 409, 404


class Loops:
    """Every method waits for a slot of the fleet's throttle and makes one request.

    They raise what Api.call does, and ProviderBusy. `emails` are the ids that Loops gave to our
    emails, by their names, and `newsletter_list` that of the newsletter's mailing list, if it has
    one.
    """

    def __init__(
        self,
        url: str,
        key: str,
        throttle: Throttle,
        emails: Mapping[str, str | None],
        newsletter_list: str | None = None,
    ) -> None:
        self.api = Api("Loops", url, {"Authorization": f"Bearer {key}"})
        self.throttle = throttle
        self.emails = emails
        self.newsletter_list = newsletter_list

    def send(
        self, id_: str, email: str, variables: Mapping[str, Any], key: str, *, priority: bool
    ) -> None:
        """Send a transactional email; under a key of the last 24 hours nothing is sent again."""
        self.throttle.wait(priority=priority)
        body = {"transactionalId": id_, "email": email, "dataVariables": dict(variables)}
        self.post_once("/v1/transactional", body, key)

    def find_contact(
        self, *, user_id: UUID | None = None, email: str | None = None
    ) -> Mapping[str, Any] | None:
        """All that Loops knows of the contact that one of the two names; None if there is none."""
        self.throttle.wait()
        answer = self.api.call("GET", "/v1/contacts/find", params=contact(user_id, email))
        found: list[Mapping[str, Any]] = answer.json()
        return found[0] if found else None

    def write_contact(self, **fields: Any) -> None:
        """Create or update a contact by `email` or `userId`.

        Pass `subscribed` only to keep somebody unsubscribed: True would subscribe them again.
        """
        self.throttle.wait()
        self.api.call("PUT", "/v1/contacts/update", json=fields)

    def delete_contact(self, *, user_id: UUID | None = None, email: str | None = None) -> None:
        """Delete a contact by one of the two; one that is not there is deleted."""
        self.throttle.wait()
        body = contact(user_id, email)
        self.api.call("POST", "/v1/contacts/delete", also_ok=(UNKNOWN_CONTACT,), json=body)

    def send_event(
        self,
        name: str,
        *,
        email: str,
        user_id: UUID,
        key: str,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Send an event about a contact, once for each key of the last 24 hours."""
        self.throttle.wait()
        body: dict[str, Any] = {"eventName": name, "email": email, "userId": str(user_id)}
        if properties:
            body |= {"eventProperties": dict(properties)}
        self.post_once("/v1/events/send", body, key)

    def post_once(self, path: str, body: Mapping[str, Any], key: str) -> None:
        """Post under an idempotency key; one that Loops has seen already is a success."""
        headers = {"Idempotency-Key": key}
        self.api.call("POST", path, also_ok=(ALREADY_SENT,), json=body, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self.api.close()


def contact(user_id: UUID | None, email: str | None) -> dict[str, str | None]:
    """The id of a contact in the form that Loops takes where exactly one is allowed."""
    return {"email": email} if user_id is None else {"userId": str(user_id)}
