"""What `insights bench` measures: the product beside other queues and bare SQL."""
