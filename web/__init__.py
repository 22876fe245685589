"""The door: events in, live progress and usage out."""
