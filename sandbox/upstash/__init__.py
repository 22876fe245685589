"""A double of Upstash's REST door, in front of a real Redis."""
