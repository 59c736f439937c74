"""Compiled programs and global state: what is compiled again, what is left as it was."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from numpyro_support import DATA, TOY, backend, fitted, stated

from bayescore.methods import MAP, NUTS, SVI
from bayescore.model.data import Membership, from_arrays
from bayescore.model.groups import Grouping


@pytest.mark.parametrize("callers", [False, True])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_callers_precision_is_left_alone(callers, precision):
    from bayescore_numpyro.precision import precision_of

    numpyro = backend(precision)
    with precision_of("float64" if callers else "float32"):
        fit = numpyro.fit(TOY, numpyro.build_data(TOY, DATA), MAP(steps=2), seed=0)
        assert numpyro.sample_posterior(fit, seed=0).draws["beta"].dtype == np.float64
        assert jax.numpy.zeros(()).dtype == ("float64" if callers else "float32")


def test_other_numbers_need_no_other_program():
    from bayescore_numpyro import svi

    fitted(TOY, SVI(steps=10))
    programs = svi._advance._cache_size()
    other = from_arrays(DATA.x + 1, DATA.y * 2)
    regression = stated("Gaussian(sigma=0.3)", other, {"intercept": "Normal(1, 3)", "beta": "Normal(0, 1)"})
    fitted(regression, SVI(steps=20, rate=0.3), seed=5, data=other)
    assert svi._advance._cache_size() == programs


def test_smaller_steps_need_no_other_program():
    """A fit that diverges is made again with a higher target of acceptance."""
    from bayescore_numpyro import nuts

    _, first = fitted(TOY, NUTS(warmup=50, draws=50))
    programs = nuts._start.programs, nuts._advance.programs
    fit, second = fitted(TOY, NUTS(warmup=50, draws=50, target_accept=0.99))
    assert (nuts._start.programs, nuts._advance.programs) == programs
    assert fit.method.target_accept == 0.99
    steps = [posterior.sample_stats["n_steps"].mean() for posterior in (first, second)]
    assert steps[1] > 1.5 * steps[0]


def grouped(seed):
    """Rows with everything that rows can have, all of it drawn."""
    rng = np.random.default_rng(seed)
    member = Membership(rng.integers(0, 3, 20), rng.normal(size=20))
    data = from_arrays(rng.normal(size=(20, 1)), rng.poisson(2.0, 20))
    data = replace(
        data,
        offset=rng.normal(size=20),
        weights=rng.uniform(size=20),
        groups={"x|g": member},
        ones=rng.uniform(size=20),
    )
    priors = {"sd(x|g)": f"HalfNormal({1 + seed})"}
    return stated("Poisson", data, priors, groupings=(Grouping("g", ("x",), ("a", "b", "c")),)), data


def test_other_weights_offsets_and_groups_need_no_other_program():
    from bayescore_numpyro import svi

    (first, rows), (second, other_rows) = grouped(0), grouped(1)
    fitted(first, SVI(steps=2), data=rows)
    programs = svi._advance._cache_size()
    fitted(second, SVI(steps=2), data=other_rows)
    assert svi._advance._cache_size() == programs


def test_the_program_is_the_same_in_every_process():
    code = """if True:
        import jax, numpy as np
        from functools import partial
        from bayescore.model.data import from_arrays
        from bayescore.methods import SVI
        from bayescore.tables.problem import from_data
        from bayescore_numpyro import model, native, svi
        from bayescore_numpyro.precision import key_of, precision_of
        priors = {"intercept": "Normal(0, 1)", "beta": "Flat()", "sigma": "HalfNormal(1)"}
        data = from_arrays([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0])
        regression = from_data(data, priors=priors).regression
        with precision_of("float64"):
            target = native.locate(regression, native.build(regression, data), SVI())
            loss = partial(svi.minus_elbo, svi.Plan(model.potential, 2, None), target.place)
            print(jax.make_jaxpr(loss)({"loc": np.zeros(3), "raw": np.zeros(3)}, key_of(0)))
    """
    programs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(programs) == 1


def test_declaring_imports_no_jax():
    code = "import sys, bayescore_numpyro.plugin as p; list(p.bayescore_backends()); print('jax' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


FITS = """if True:
    import sys
    import jax, numpy as np
    from jax import monitoring
    from numpyro_support import backend, stated
    from bayescore.methods import NUTS, SVI
    from bayescore.model.data import from_arrays
    counted = {"hits": 0, "misses": 0}
    def count(event, **more):
        name = event.rpartition("/cache_")[2]
        if name in counted:
            counted[name] += 1
    monitoring.register_event_listener(count)
    seed, draws = map(int, sys.argv[1:])
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 2))
    data = from_arrays(x, rng.random(30) < 0.5)
    regression = stated("Bernoulli", data, {"beta": f"Normal(0, {1 + seed})"})
    numpyro = backend()
    for method in (NUTS(warmup=5, draws=draws), SVI(steps=draws, draws=draws)):
        native = numpyro.build_data(regression, data)
        numpyro.log_density(regression, native, {"intercept": np.array(0.1), "beta": np.array([0.2, 0.3])})
        fit = numpyro.fit(regression, native, method, seed=seed)
        posterior = numpyro.sample_posterior(fit, seed=seed)
        for kind in ("mean", "response"):
            numpyro.predict(fit, posterior, data, kind=kind, seed=seed)
    print(counted["hits"], counted["misses"])
"""


def test_other_data_priors_seed_and_number_of_draws_are_compiled_already(tmp_path):
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "PYTHONPATH": str(Path(__file__).parent),
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
    }

    def run(seed, draws):
        command = [sys.executable, "-c", FITS, str(seed), str(draws)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | settings)
        return [int(count) for count in done.stdout.split()]

    hits, misses = run(0, 10)
    assert misses > 5
    assert run(1, 1100) == [hits + misses, 0]


def test_the_potential_is_traced_once(monkeypatch):
    from bayescore_numpyro import nuts

    traced = []
    potential = nuts.potential
    monkeypatch.setattr(nuts, "_potential", jax.jit(lambda place, z: traced.append(z.shape) or potential(place, z)))
    fitted(TOY, NUTS(chains=2, warmup=7, draws=3))
    assert traced == [(2,)]
