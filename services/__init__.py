"""Whom we talk to: one thin client per provider, built by composition roots only."""

from services.providers import Services

__all__ = ["Services"]
