"""Thin clients, over HTTP against the doubles and over TCP against a real Redis."""
