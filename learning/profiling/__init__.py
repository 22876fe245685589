"""Understands a file: its rows, what each column is, and what a person should be told."""

from learning.profiling.profile import Profile, profile

__all__ = ["Profile", "profile"]
