"""Sites of Pyro's programs that are summed out, against sums by hand."""

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro_support import by_name, program
from scipy import special, stats

from bayescore.errors import UnsupportedError

Y = np.array([1.0, 2.0, 3.0, -1.0, 0.5])


def mixture(y, how):
    w = pyro.sample("w", dist.Dirichlet(torch.ones(3)))
    m = pyro.sample("m", dist.Normal(0.0, 3.0).expand([3]).to_event(1))
    pyro.sample("alone", dist.Normal(m[0], 1.0), obs=torch.tensor(0.5))
    with pyro.plate("rows", len(y)):
        z = pyro.sample("z", dist.Categorical(w), infer={"enumerate": how})
        pyro.sample("y", dist.Normal(m[z], 1.0), obs=y)


@pytest.mark.parametrize("how", ["parallel", "sequential"])
def test_an_enumerated_mixture(how):
    w, m = np.array([0.2, 0.3, 0.5]), np.array([0.0, 1.0, 2.0])
    made = program(mixture, y=Y, how=how)
    found = made.log_density({"w": w, "m": m})
    rows = special.logsumexp(np.log(w) + stats.norm.logpdf(Y[:, None], m, 1), axis=1)
    assert list(found.by_site) == ["w", "m", "alone", "y"]
    np.testing.assert_allclose(found.by_row["y"], rows, rtol=1e-13)
    assert found.by_site["y"] == pytest.approx(rows.sum(), rel=1e-13)
    assert found.total == pytest.approx(sum(found.by_site.values()), rel=1e-14)
    assert by_name(made)["z"].enumerated
    assert by_name(made, {"z": np.array([0, 1, 2, 0, 1])})["y"].parameters["loc"].shape == (5,)


def test_a_choice_outside_the_plate_of_its_data():
    """The rows share their choice: no row has a share of its own."""

    def model(y, plated):
        m = pyro.sample("m", dist.Normal(torch.zeros(2), 1.0).to_event(1))
        z = pyro.sample("z", dist.Bernoulli(0.3), infer={"enumerate": "parallel"}).long()
        if plated:
            with pyro.plate("rows", len(y)):
                pyro.sample("y", dist.Normal(m[z], 1.0), obs=y)
        else:
            pyro.sample("y", dist.Normal(m[z], 1.0), obs=y)

    m = np.array([0.0, 1.0])
    expected = special.logsumexp(np.log([0.7, 0.3]) + stats.norm.logpdf(Y[:, None], m, 1).sum(0))
    for plated in (True, False):
        found = program(model, y=Y, plated=plated).log_density({"m": m})
        assert found.by_site["y"] == pytest.approx(expected, rel=1e-13)
        assert "y" not in found.by_row and "z" not in found.by_site


def test_an_enumerated_chain():
    """A hidden Markov model against its forward recursion."""

    def model(y):
        p = pyro.sample("p", dist.Dirichlet(torch.ones(2, 2)).to_event(1))
        x = 0
        for t in pyro.markov(range(len(y))):
            x = pyro.sample(f"x_{t}", dist.Categorical(p[x]), infer={"enumerate": "parallel"})
            pyro.sample(f"y_{t}", dist.Normal(torch.tensor([-1.0, 1.0])[x], 1.0), obs=y[t])

    p = np.array([[0.8, 0.2], [0.4, 0.6]])
    forward = np.array([1.0, 0.0])
    for y in Y:
        forward = (forward @ p) * stats.norm.pdf(y, [-1, 1], 1)
    found = program(model, y=Y).log_density({"p": p})
    assert found.by_site["y_4"] == pytest.approx(np.log(forward.sum()), rel=1e-12)
    assert list(found.by_site) == ["p", "y_4"]


def test_an_enumerated_vector_without_a_plate_is_refused():
    def model():
        pyro.sample("z", dist.Bernoulli(torch.full((3,), 0.2)), infer={"enumerate": "parallel"})

    with pytest.raises(UnsupportedError, match="'z' has a dimension of 3 that is no plate's"):
        program(model).log_density({})


def test_a_discrete_site_that_is_not_enumerated_has_a_density():
    def model():
        n = pyro.sample("n", dist.Poisson(3.0))
        pyro.sample("k", dist.Binomial(n, 0.5), obs=torch.tensor(2.0))

    found = program(model).log_density({"n": np.array(4)})
    assert found.by_site == pytest.approx(
        {"n": stats.poisson.logpmf(4, 3), "k": stats.binom.logpmf(2, 4, 0.5)}, rel=1e-6
    )
