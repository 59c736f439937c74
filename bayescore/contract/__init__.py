"""The contract, enforced: what goes into a backend and what comes out of it."""
