"""The audience: contacts by email address and user id."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.loops.errors import ApiError, check_properties, valid_email


@dataclass
class Contact:
    """One contact. `fields` are its properties, `lists` its mailing lists."""

    id: str
    email: str | None
    created: datetime
    user_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, bool] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The contact as the API returns it."""
        defaults = {"firstName": None, "lastName": None, "source": "API", "subscribed": True}
        named = {"id": self.id, "email": self.email, "userId": self.user_id}
        return named | defaults | {"userGroup": ""} | self.fields | {"mailingLists": self.lists}


class Audience:
    """All contacts of a team, each once."""

    def __init__(self) -> None:
        self.contacts: list[Contact] = []
        self.created_count = 0

    def find(self, email: object = None, user_id: object = None) -> Contact | None:
        """The contact with this address, which is compared without case, or this user id."""
        for contact in self.contacts:
            if email is not None and contact.email == str(email).lower():
                return contact
            if user_id is not None and contact.user_id == str(user_id):
                return contact
        return None

    def create(self, fields: dict[str, Any], now: datetime) -> Contact:
        """Create a contact. Raises ApiError 409 where the address or the user id is taken."""
        email = valid_email(fields.get("email"))
        if self.find(email, fields.get("userId")):
            raise ApiError(409, "Email or userId is already in your audience.")
        return self.write(None, fields, now)

    def upsert(self, fields: dict[str, Any], now: datetime) -> Contact:
        """Update the contact that matches the address or the user id, or create one.

        Raises ApiError 400.
        """
        email, user_id = fields.get("email"), fields.get("userId")
        if email is None and user_id is None:
            raise ApiError(400, "An email or userId is required.", path="email")
        if email is not None:
            valid_email(email)
        # With both ids a contact matches on either; to change an address a client sends the user id
        # and the new address (https://loops.so/docs/api-reference/update-contact).
        by_user, by_email = self.find(user_id=user_id), self.find(email)
        if by_user and by_email and by_user is not by_email:
            raise ApiError(400, "Email and userId belong to different contacts.")
        return self.write(by_user or by_email, fields, now)

    def write(self, contact: Contact | None, fields: dict[str, Any], now: datetime) -> Contact:
        """Write the given fields to a contact, a new one where it is None; null clears a field."""
        properties = {
            k: v for k, v in fields.items() if k not in ("email", "userId", "mailingLists")
        }
        check_properties(properties)
        if contact is None:
            self.created_count += 1
            contact = Contact(f"cl_contact_{self.created_count}", None, now)
            self.contacts.append(contact)
        if fields.get("email") is not None:
            contact.email = valid_email(fields["email"])
        if fields.get("userId") is not None:
            contact.user_id = str(fields["userId"])
        contact.fields |= properties
        contact.fields = {k: v for k, v in contact.fields.items() if v is not None}
        contact.lists |= fields.get("mailingLists") or {}
        return contact

    def delete(self, email: object, user_id: object) -> None:
        """Delete the contact with this address or user id. Raises ApiError 400 and 404."""
        if (email is None) == (user_id is None):
            raise ApiError(400, "Exactly one of email and userId is required.")
        contact = self.find(email, user_id)
        if contact is None:
            raise ApiError(404, "Contact not found.")
        self.contacts.remove(contact)
