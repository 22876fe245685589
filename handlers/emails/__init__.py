"""Transactional emails through Loops, each sent once."""
