"""`/users/{user_id}/…`."""
