"""Contacts at Loops, and the events that start and stop its workflows."""
