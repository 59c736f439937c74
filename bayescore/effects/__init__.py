"""Marginal effects: what a fitted regression predicts at given values, and how predictions change with a column."""

from bayescore.effects.asked import Comparison, Slope, comparisons, predictions, slopes
from bayescore.effects.contrasts import Contrast
from bayescore.effects.result import Effects
from bayescore.effects.view import Conditional, Options

__all__ = [
    "Comparison",
    "Conditional",
    "Contrast",
    "Effects",
    "Options",
    "Slope",
    "comparisons",
    "predictions",
    "slopes",
]
