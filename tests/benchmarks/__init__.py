"""Tests of the measurements: they run, count right and leave nothing behind."""
