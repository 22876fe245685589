"""One thin client per provider, and Redis; only composition roots build them."""

from services.services import Services

__all__ = ["Services"]
