"""What `insights bench` measures: the product beside plain dramatiq, Celery and bare SQL."""
