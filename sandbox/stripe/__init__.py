"""The double of Stripe: stateful, strict, driven by the vendor's unchanged SDK."""
