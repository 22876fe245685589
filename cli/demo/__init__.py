"""`insights demo`: one user on the real product, from sign-up to the plan's limit."""
