"""What `insights chaos` does: break everything under a known load, then count every effect."""
