"""From a formula and a table to a design matrix, with its doors shut.

A formula sees the table's columns and a closed list of functions, never the caller's
variables.
"""

from bayescore.tables.formula.design import Design, apply

__all__ = ["Design", "apply"]
