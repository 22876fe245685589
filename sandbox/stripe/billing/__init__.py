"""What Stripe Billing does by itself: periods, invoices, collection, dunning, endings."""
