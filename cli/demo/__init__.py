"""`insights demo`: one person's story on the real product, from sign-up to the plan's limit."""
