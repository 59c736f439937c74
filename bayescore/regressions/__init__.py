"""A regression as a target of a comparison: its points, its outputs, and what a wrong one looks like."""
