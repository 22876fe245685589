"""Tests of what measures: it runs, counts right and leaves nothing behind."""
