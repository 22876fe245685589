"""The providers' doubles, for demo and tests."""
