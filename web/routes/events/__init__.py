"""`/events` and `/events/{event_id}`."""
