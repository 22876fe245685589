"""What must be true at the end of a run, worked out without the product's own code."""
