"""Tests of events and their contract."""
