"""What runs: broker, relay, actors, scheduler, supervisor, own servers, command line."""
