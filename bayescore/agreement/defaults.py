"""What the rule (`bayescore.agreement.rule`) goes by unless it is told otherwise."""

MARGIN = 0.10
"""Differences below it don't matter, in posterior sds."""
ALPHA = 0.01
"""Rate at which identical posteriors may be found to disagree."""
