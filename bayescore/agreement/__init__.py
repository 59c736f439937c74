"""The decision on agreement: are the fits healthy, did they find the same posterior, and if not, why."""
