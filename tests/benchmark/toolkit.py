"""The toy by the toolkit's four verbs: the counterpart of ``plain_pyro.py same`` and ``plain_numpyro.py same``."""

import sys
import time

import bayescore as bc

if __name__ == "__main__":
    engine, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    backend = bc.get_backend(engine)
    started = time.perf_counter()
    problem = bc.toy()
    data = backend.build_data(problem.regression, problem.data)
    fit = backend.fit(problem.regression, data, bc.SVI(steps=steps), seed=seed)
    moments = backend.sample_posterior(fit, seed=seed).moments
    assert moments is not None
    print(*moments.mean, *moments.sd, time.perf_counter() - started)
