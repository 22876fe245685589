"""Whom we talk to: one thin client per provider, built by composition roots only."""

from services.services import Services

__all__ = ["Services"]
