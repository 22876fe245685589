"""How the product is put together: from settings to running, supervised processes."""
