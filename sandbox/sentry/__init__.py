"""A double of Sentry's ingestion: takes envelopes, keeps errors, transactions and check-ins."""
