"""Assertions for other people's tests of samplers and models."""

from typing import TYPE_CHECKING, Any

from bayescore.testing.assertions import assert_posteriors_agree, assert_same_model

if TYPE_CHECKING:
    from bayescore.testing.programs import assert_same_program

__all__ = ["assert_posteriors_agree", "assert_same_model", "assert_same_program"]


def __getattr__(name: str) -> Any:
    """Import what compares programs when it is first used: it takes as long as all else."""
    if name != "assert_same_program":
        raise AttributeError(f"module 'bayescore.testing' has no attribute {name!r}")
    from bayescore.testing.programs import assert_same_program

    return assert_same_program
