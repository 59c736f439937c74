"""Assertions for other people's tests of samplers and models."""

from bayescore.testing.assertions import assert_posteriors_agree, assert_same_model
from bayescore.testing.programs import assert_same_program

__all__ = ["assert_posteriors_agree", "assert_same_model", "assert_same_program"]
