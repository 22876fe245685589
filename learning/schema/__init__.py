"""What was understood of a table: its columns, how its file is read, and what was guessed."""
