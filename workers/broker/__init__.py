"""The brokers that carry bells from the relay to the workers, and the actors that hear them."""
