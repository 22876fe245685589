"""What the product needs to be well, one file per server or kind of provider."""
