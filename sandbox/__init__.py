"""Doubles of the providers, speaking their real wire contracts, for the demo and the tests."""
