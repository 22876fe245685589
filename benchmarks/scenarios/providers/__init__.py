"""`providers`: how fast events reach providers, and what it takes."""
