"""Tests of what follows from events, and of the laws that it obeys."""
