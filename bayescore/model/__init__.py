"""What is stated: a regression, its sites, and its data."""
