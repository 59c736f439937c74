"""Two-parameter item response: a row a person, a column an item."""

import pyro
import pyro.distributions as dist


def model(y):
    persons = pyro.plate("persons", y.shape[0], dim=-2)
    items = pyro.plate("items", y.shape[1], dim=-1)
    with persons:
        ability = pyro.sample("ability", dist.Normal(0.0, 1.0))
    with items:
        difficulty = pyro.sample("difficulty", dist.Normal(0.0, 1.5))
        discrimination = pyro.sample("discrimination", dist.LogNormal(0.0, 0.5))
    with persons, items:
        pyro.sample("obs", dist.Bernoulli(logits=discrimination * (ability - difficulty)), obs=y)
