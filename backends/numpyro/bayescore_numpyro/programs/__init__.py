"""Programs of one's own: the contract of `bayescore.program`, in NumPyro."""
