"""The system under test: private servers, the product's processes, and handlers made for it."""
