"""Pages on which a person sees what reached the providers."""
