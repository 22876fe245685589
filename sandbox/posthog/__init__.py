"""A double of PostHog: events, the persons that come of them, feature flags."""
