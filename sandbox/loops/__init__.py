"""A double of Loops (loops.so): contacts, events and transactional emails, with its limits."""
