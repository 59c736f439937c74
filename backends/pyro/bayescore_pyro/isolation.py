"""Pyro's global state, borrowed for a call and given back as it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyro
import torch

from bayescore.backend import Precision

_NO_VALIDATION = {
    "validate_distributions_pyro": False,
    "validate_distributions_torch": False,
    "validate_infer": False,
    "validate_poutine": False,
}


@contextmanager
def isolated(precision: Precision, seed: int = 0) -> Iterator[None]:
    """Work in a precision, with a seed and in one thread, and put everything back.

    That is: the generators, the parameter store, the default dtype, the validation, the
    number of threads. One thread gives the same sums on every machine, and does not wait
    for others where contenders run side by side.
    """
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with (
        torch.random.fork_rng(devices=[]),
        torch.enable_grad(),
        pyro.get_param_store().scope(),
        pyro.settings.context(**_NO_VALIDATION),
    ):
        try:
            torch.set_num_threads(1)
            torch.set_default_dtype(getattr(torch, precision))
            pyro.set_rng_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_default_dtype(dtype)
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)
