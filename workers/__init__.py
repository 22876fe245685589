"""The engine: the relay, the workers that run handlers, and the scheduler."""
