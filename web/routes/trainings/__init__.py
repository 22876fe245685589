"""`/trainings/{training_id}/…`."""
