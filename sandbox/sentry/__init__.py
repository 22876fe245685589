"""A double of Sentry's intake: envelopes in, errors, traces and check-ins to look at."""
