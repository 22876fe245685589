"""Sentry: errors once per failure that matters, and traces from the publisher to the provider."""

from services.sentry.client import Sentry
from services.sentry.work import Work

__all__ = ["Sentry", "Work"]
