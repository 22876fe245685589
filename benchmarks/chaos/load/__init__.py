"""What is published in a run of chaos, drawn from a seed, and the process that publishes it."""
