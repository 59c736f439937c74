"""Two-parameter item response: a row a person, a column an item."""

import numpyro
import numpyro.distributions as dist


def model(y):
    persons = numpyro.plate("persons", y.shape[0], dim=-2)
    items = numpyro.plate("items", y.shape[1], dim=-1)
    with persons:
        ability = numpyro.sample("ability", dist.Normal(0.0, 1.0))
    with items:
        difficulty = numpyro.sample("difficulty", dist.Normal(0.0, 1.5))
        discrimination = numpyro.sample("discrimination", dist.LogNormal(0.0, 0.5))
    with persons, items:
        numpyro.sample("obs", dist.Bernoulli(logits=discrimination * (ability - difficulty)), obs=y)
