"""Contacts at Loops, kept like the profiles, and the events that start or stop its workflows."""
