"""Product analytics at PostHog: which event gives what, and how it is sent."""
