"""A double of Upstash's Redis over REST, in front of a real Redis."""
