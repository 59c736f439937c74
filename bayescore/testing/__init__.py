"""Assertions for other people's tests of samplers and models."""

from bayescore.testing.assertions import assert_posteriors_agree, assert_same_model

__all__ = ["assert_posteriors_agree", "assert_same_model"]
