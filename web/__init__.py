"""The HTTP API: events in, live progress and usage out."""
