"""What `insights chaos` does: break everything under a known load, then balance the books."""
