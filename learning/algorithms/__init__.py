"""The algorithms on offer: their estimators, hyperparameters and how they report progress."""
