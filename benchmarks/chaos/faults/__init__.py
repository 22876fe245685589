"""What breaks in a run of chaos, and when."""
