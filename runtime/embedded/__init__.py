"""The embedded servers: a private PostgreSQL and Valkey out of wheels."""
