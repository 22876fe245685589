"""The endpoints, in folders that mirror their addresses."""
