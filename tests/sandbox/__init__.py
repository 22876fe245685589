"""The doubles refuse what the providers refuse, and the vendors' own SDKs work against them."""
