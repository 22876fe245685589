"""What is there at the end of a run: in the database, at the providers, in live progress."""
