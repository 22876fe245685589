"""Checkout: sessions, and the page on which one pays."""
