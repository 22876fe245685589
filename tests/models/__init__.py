"""Tests of what the database itself promises: migrations, roles, SQL functions, poolers."""
