"""One row per handler: whether it is paused, and the state of its circuit breaker."""
