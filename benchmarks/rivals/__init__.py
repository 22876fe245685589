"""The same work as others would do it."""
