"""Product analytics at PostHog."""
