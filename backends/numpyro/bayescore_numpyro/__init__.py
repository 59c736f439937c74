"""The NumPyro backend of bayescore."""
