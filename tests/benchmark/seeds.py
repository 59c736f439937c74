"""Does SVI land? The default on the toy, seed after seed, against the exact posterior.

``python tests/benchmark/seeds.py [ENGINE ...] [--seeds 50] [--method svi]``; prints the
worst over the seeds: error of the means in exact sds, of the sds relative to the best of
the guide's family, the Monte Carlo error that the fit itself states, and split R-hat.
"""

import argparse
import statistics
import time

import numpy as np

import bayescore as bc
from bayescore import methods
from bayescore.agreement.health import examine


def main() -> None:
    """Run the seeds and print a row an engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engines", nargs="*", default=["pyro", "numpyro"])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--method", default="svi")
    options = parser.parse_args()
    method = methods.parse(options.method)
    problem = bc.toy()
    exact = bc.get_backend("exact")
    solved = exact.fit(problem.regression, exact.build_data(problem.regression, problem.data), bc.Exact(), seed=0)
    truth = exact.sample_posterior(solved, seed=0).moments
    assert truth is not None
    print("| engine | method | means [sd] | sds | Monte Carlo error [sd] | R-hat | not converged | seconds a fit |")
    print("|---|---|---|---|---|---|---|---|")
    for engine in options.engines:
        backend = bc.get_backend(engine)
        data = backend.build_data(problem.regression, problem.data)
        means, sds, errors, rhats, ill, seconds = [], [], [], [], 0, []
        for seed in range(options.seeds):
            started = time.perf_counter()
            fit = backend.fit(problem.regression, data, method, seed=seed)
            posterior = backend.sample_posterior(fit, seed=seed)
            seconds.append(time.perf_counter() - started)
            found = posterior.moments
            assert found is not None
            health = examine(method, posterior, fit.iterates)
            means.append(np.max(np.abs(found.mean - truth.mean) / truth.sd))
            sds.append(np.max(np.abs(found.sd / truth.sd - 1)))
            errors.append(health.figures["svi_error_max"])
            rhats.append(health.figures["svi_rhat_max"])
            ill += bool(health.ailments)
        print(
            f"| {engine} | {method} | {max(means):.3f} | {max(sds):.1%} | {max(errors):.4f} | {max(rhats):.3f} "
            f"| {ill} of {options.seeds} | {statistics.median(seconds):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
