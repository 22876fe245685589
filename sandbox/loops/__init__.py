"""A double of Loops (loops.so): contacts, events, transactional emails, its limits."""
