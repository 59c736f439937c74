"""Programs of one's own sampled by Pyro's NUTS: the potential, the draws, what is told and what is refused."""

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from bayescore_pyro.isolation import isolated
from bayescore_pyro.programs.sited import Sited
from bayescore_pyro.programs.unconstrained import unconstrained
from pyro.infer.mcmc.util import initialize_model
from pyro_support import BACKEND, make

from bayescore.errors import FitError, UnsupportedError
from bayescore.methods import NUTS

SHORT = NUTS(chains=2, warmup=60, draws=60)
TRACED = "its density is traced"
Y = np.array([1.0, 2.0, 3.0, -1.0, 0.5])


def conjugate(y):
    """The posterior of mu is Normal(m, s): 1 / s^2 = 1 / 4 + n / 9, m = s^2 sum(y) / 9."""
    mu = pyro.sample("mu", dist.Normal(0.0, 2.0))
    pyro.deterministic("twice", torch.stack([2.0 * mu, -mu]))
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(mu, 3.0), obs=y)


def variances(y):
    """All kinds of supports, one that depends on another site, an enumerated site and a matrix."""
    scale = pyro.sample("scale", dist.HalfCauchy(2.0))
    top = pyro.sample("top", dist.Uniform(0.0, scale))
    w = pyro.sample("w", dist.Dirichlet(torch.ones(3)))
    root = pyro.sample("root", dist.LKJCholesky(3, 2.0))
    at = pyro.sample("at", dist.Normal(0.0, 1.0).expand([2]).to_event(1))
    pyro.deterministic("corr", root @ root.T)
    with pyro.plate("rows", len(y)):
        z = pyro.sample("z", dist.Categorical(w), infer={"enumerate": "parallel"})
        m = torch.cat([at, at.sum(-1, keepdim=True)])[z]
        pyro.deterministic("mean", m)
        pyro.sample("y", dist.Normal(m + top, 1.0 + root[1, 0] ** 2), obs=y)


def branching(y):
    mu = pyro.sample("mu", dist.Normal(0.0, 2.0))
    scale = 3.0 if mu < 100.0 else 4.0
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(mu, scale), obs=y)


def draws(function, data, method=SHORT, *, seed=1, backend=BACKEND):
    program = backend.program(function, data)
    fit = program.fit(method, seed=seed)
    return program, fit, program.sample_posterior(fit, seed=0)


def test_an_exact_posterior():
    _, fit, posterior = draws(conjugate, {"y": Y}, NUTS(chains=4, warmup=100, draws=200))
    variance = 1 / (1 / 4 + 5 / 9)
    mean, sd = variance * Y.sum() / 9, np.sqrt(variance)
    mu = posterior.draws["mu"]
    assert mu.shape == (4, 200) and mu.dtype == np.float64
    error = sd / np.sqrt(150)  # an effective size that NUTS has here with room to spare
    assert abs(mu.mean() - mean) < 4 * error
    assert abs(mu.std() / sd - 1) < 4 / np.sqrt(2 * 150)
    np.testing.assert_allclose(posterior.draws["twice"], np.stack([2 * mu, -mu], axis=-1))
    assert posterior.kind == "chains" and posterior.divergences == 0
    assert fit.notes == (TRACED,)


def test_log_joint_is_that_of_the_draws():
    program, fit, posterior = draws(variances, {"y": Y}, NUTS(chains=2, warmup=20, draws=20))
    assert fit.notes == (TRACED, "mean has no draws: it depends on a site that is summed out")
    assert list(posterior.draws) == ["scale", "top", "w", "root", "at", "corr"]
    assert [site.name for site in program.sites()] == ["scale", "top", "w", "root", "at", "corr", "z", "y"]
    for at in [(0, 0), (0, 7), (1, 3), (1, 19)]:
        values = {name: posterior.draws[name][at] for name in ("scale", "top", "w", "root", "at")}
        assert posterior.sample_stats["log_joint"][at] == pytest.approx(program.log_density(values).total, rel=1e-10)
        np.testing.assert_allclose(posterior.draws["corr"][at], values["root"] @ values["root"].T, rtol=1e-12)


def test_the_potential_is_pyros_own():
    """`initialize_model` has a fixed transform for a site, so that it is held against at fixed supports alone."""

    def model(y):
        s = pyro.sample("s", dist.Gamma(2.0, 2.0))
        w = pyro.sample("w", dist.Dirichlet(torch.ones(3)))
        with pyro.plate("rows", len(y)):
            z = pyro.sample("z", dist.Categorical(w), infer={"enumerate": "parallel"})
            pyro.sample("y", dist.Normal(z.to(s.dtype), s), obs=y)

    target = unconstrained(Sited(model, {"y": Y}, "float64"))
    with isolated("float64", 3):
        _, potential, _, _ = initialize_model(model, model_kwargs={"y": torch.tensor(Y)}, initial_params={})
        for _ in range(3):
            z = 4.0 * torch.rand(3) - 2.0
            expected = potential({"s": z[0], "w": z[1:]})
            value, gradient = target.plain(z)
            assert float(value) == pytest.approx(float(expected), rel=1e-12)
            np.testing.assert_allclose(gradient, _slope(potential, z), rtol=1e-10)


def _slope(potential, z):
    z = z.clone().requires_grad_()
    return torch.autograd.grad(potential({"s": z[0], "w": z[1:]}), z)[0]


def test_control_flow_that_depends_on_values_runs_plainly():
    """The draws are those of the traced program: the same kernel, seeds and start."""
    _, fit, posterior = draws(branching, {"y": Y})
    _, traced, expected = draws(conjugate, {"y": Y})
    assert fit.notes == ("its density is not traced: what it runs depends on values",)
    assert traced.notes == (TRACED,)
    np.testing.assert_allclose(posterior.draws["mu"], expected.draws["mu"], rtol=1e-6)


def test_a_branch_that_a_trace_would_lose_runs_plainly():
    """The gradient of a detached value is no part of a trace; what is compared is values."""

    class Away(torch.autograd.Function):
        """Gives a trace other numbers than a run."""

        @staticmethod
        def forward(ctx, z):
            return z * 2.0 if torch.compiler.is_compiling() or _is_traced(z) else z.clone()

        @staticmethod
        def backward(ctx, slope):
            return slope

    def model(y):
        mu = pyro.sample("mu", dist.Normal(0.0, 2.0))
        pyro.sample("y", dist.Normal(Away.apply(mu), 3.0).expand([5]).to_event(1), obs=y)

    _, fit, _ = draws(model, {"y": Y}, NUTS(chains=1, warmup=5, draws=5))
    assert fit.notes == ("its density is not traced: traced, it has other values",)


def _is_traced(z):
    from torch.fx.experimental.proxy_tensor import get_proxy_mode

    return get_proxy_mode() is not None


def test_the_same_seed_gives_the_same_draws_and_another_others():
    few = NUTS(chains=2, warmup=20, draws=20)
    one, same, other = (draws(conjugate, {"y": Y}, few, seed=seed)[2].draws["mu"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


def test_a_matrix_that_has_no_factor_is_impossible():
    """The trace of a Cholesky factor loses its error: what isn't positive definite has no density all the same."""

    def model(y):
        r = pyro.sample("r", dist.Normal(0.3, 0.3))
        cov = torch.eye(3) + r * (1 - torch.eye(3))
        root = torch.linalg.cholesky(cov)
        pyro.sample("y", dist.Normal(root.sum(-1), 1.0).to_event(1), obs=y)

    _, fit, posterior = draws(model, {"y": Y[:3]})
    assert fit.notes == (TRACED,)
    r = posterior.draws["r"]
    assert -0.5 < r.min() < r.max() < 1.0


def test_single_precision():
    _, fit, posterior = draws(conjugate, {"y": Y}, backend=make("float32"))
    mu = posterior.draws["mu"]
    np.testing.assert_array_equal(mu, mu.astype(np.float32))
    assert posterior.draws["mu"].dtype == np.float64
    assert fit.notes == (TRACED,)


def no_unknown(y):
    pyro.sample("y", dist.Normal(0.0, 1.0).expand([5]).to_event(1), obs=y)


def discrete(y):
    n = pyro.sample("n", dist.Poisson(3.0))
    pyro.sample("y", dist.Normal(n, 1.0).expand([5]).to_event(1), obs=y)


def random(y):
    mu = pyro.sample("mu", dist.Normal(0.0, 1.0))
    pyro.sample("y", dist.Normal(mu + torch.randn(()), 1.0).expand([5]).to_event(1), obs=y)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_unknown, "no unknown to fit"),
        (discrete, "'n' is discrete, and not enumerated"),
        (random, "density is another at each run"),
    ],
)
def test_refused_with_a_sentence(function, said):
    with pytest.raises(UnsupportedError, match=said):
        BACKEND.program(function, {"y": Y}).fit(SHORT, seed=0)


@pytest.mark.parametrize("setting", [{"standardize": False}, {"centred": True}])
def test_settings_of_regressions_are_refused(setting):
    with pytest.raises(UnsupportedError, match=f"{next(iter(setting))} is for regressions"):
        BACKEND.program(conjugate, {"y": Y}).fit(NUTS(**setting), seed=0)


def test_a_program_without_a_possible_point():
    def model(y):
        s = pyro.sample("s", dist.HalfNormal(1.0))
        with pyro.plate("rows", len(y)):
            pyro.sample("y", dist.Gamma(s, 1.0), obs=y)

    with pytest.raises(FitError, match="no start among 100 draws"):
        BACKEND.program(model, {"y": Y}).fit(SHORT, seed=0)


def test_progress_reaches_the_end():
    for function in (conjugate, branching):
        told = []
        BACKEND.program(function, {"y": Y}).fit(
            NUTS(chains=2, warmup=5, draws=5),
            seed=0,
            progress=lambda step, total, told=told: told.append((step, total)),
        )
        assert told[-1] == (20, 20)
        assert [step for step, _ in told] == sorted(step for step, _ in told)
