"""The audience: contacts by address and user id."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.loops.refusal import Refused, check_properties, need_email


@dataclass
class Contact:
    """One contact, with whatever properties it was given."""

    id: str
    email: str | None
    created: datetime
    user_id: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, bool] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """The contact as the API shows it."""
        plain = {"firstName": None, "lastName": None, "source": "API", "subscribed": True}
        named = {"id": self.id, "email": self.email, "userId": self.user_id}
        return named | plain | {"userGroup": ""} | self.fields | {"mailingLists": self.lists}


class Audience:
    """All contacts. What is sent twice is there once."""

    def __init__(self) -> None:
        self.contacts: list[Contact] = []
        self.made = 0

    def find(self, email: object = None, user_id: object = None) -> Contact | None:
        """The contact with this address or this user id."""
        for contact in self.contacts:
            if email is not None and contact.email == str(email).lower():
                return contact
            if user_id is not None and contact.user_id == str(user_id):
                return contact
        return None

    def create(self, fields: dict[str, Any], now: datetime) -> Contact:
        """A new contact; 409 if there is one."""
        email = need_email(fields.get("email"))
        if self.find(email, fields.get("userId")):
            raise Refused(409, "Email or userId is already in your audience.")
        return self.write(None, fields, now)

    def upsert(self, fields: dict[str, Any], now: datetime) -> Contact:
        """Update the contact that matches either id, or make one."""
        email, user_id = fields.get("email"), fields.get("userId")
        if email is None and user_id is None:
            raise Refused(400, "An email or userId is required.", path="email")
        if email is not None:
            need_email(email)
        by_user, by_email = self.find(user_id=user_id), self.find(email)
        if by_user and by_email and by_user is not by_email:
            raise Refused(400, "Email and userId belong to different contacts.")
        return self.write(by_user or by_email, fields, now)

    def write(self, contact: Contact | None, fields: dict[str, Any], now: datetime) -> Contact:
        """Write the given fields; null clears one."""
        rest = {k: v for k, v in fields.items() if k not in ("email", "userId", "mailingLists")}
        check_properties(rest)
        if contact is None:
            self.made += 1
            contact = Contact(f"cl_contact_{self.made}", None, now)
            self.contacts.append(contact)
        if fields.get("email") is not None:
            contact.email = need_email(fields["email"])
        if fields.get("userId") is not None:
            contact.user_id = str(fields["userId"])
        contact.fields |= rest
        contact.fields = {k: v for k, v in contact.fields.items() if v is not None}
        contact.lists |= fields.get("mailingLists") or {}
        return contact

    def delete(self, email: object, user_id: object) -> None:
        """Delete a contact by exactly one id; 404 if there is none."""
        if (email is None) == (user_id is None):
            raise Refused(400, "Exactly one of email and userId is required.")
        contact = self.find(email, user_id)
        if contact is None:
            raise Refused(404, "Contact not found.")
        self.contacts.remove(contact)
