"""A double of PostHog: events, the persons made from them, feature flags."""
