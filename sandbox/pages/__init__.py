"""Pages that show what each provider was sent."""
