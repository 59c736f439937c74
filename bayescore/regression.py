"""The neutral statement of a regression: family, coefficients and every prior.

A `Regression` is complete: nothing in it is left to a backend's taste. Its sites
are `intercept`, `beta` (one coefficient a column) and the family's free auxiliary
parameters; its parameters are their scalar elements, by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bayescore import distributions, families
from bayescore.distributions import Block, Distribution, Support
from bayescore.errors import RequestError, suggest
from bayescore.families import Family


@dataclass(frozen=True)
class Site:
    """A random variable: its name, shape, support, one prior an element, and their labels."""

    name: str
    shape: tuple[int, ...]
    support: Support
    priors: tuple[Distribution, ...]
    labels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many scalar parameters it has."""
        return len(self.priors)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its priors, those of one kind stacked into one."""
        return tuple(distributions.stack(self.priors))

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its scalar parameters, as in ``beta[mom_iq]``."""
        return tuple(f"{self.name}[{label}]" for label in self.labels) if self.shape else (self.name,)


@dataclass(frozen=True)
class Regression:
    """One Bayesian regression, stated once for every backend.

    Parameters
    ----------
    family
        Distribution of the response.
    columns
        Names of the design matrix's columns, the intercept not among them.
    intercept
        Prior of the intercept, or None where there is none.
    beta
        One prior a column.
    auxiliary
        Prior of each free auxiliary parameter of the family.

    Raises
    ------
    RequestError
        A prior is missing or superfluous, or its support does not fit its site.
    """

    family: Family
    columns: tuple[str, ...]
    intercept: Distribution | None
    beta: tuple[Distribution, ...]
    auxiliary: Mapping[str, Distribution] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.beta) != len(self.columns):
            raise RequestError(f"{len(self.columns)} columns need as many priors, not {len(self.beta)}")
        if set(self.auxiliary) != set(self.family.free):
            raise RequestError(f"{self.family} needs priors for {list(self.family.free)}, not {list(self.auxiliary)}")
        for site in self.sites:
            for prior, name in zip(site.priors, site.parameters, strict=True):
                if prior.support != site.support and prior.proper:
                    raise RequestError(
                        f"{name} is {site.support}, but its prior {prior} is for {prior.support} values: "
                        + ("use Normal or StudentT" if site.support == "real" else "use HalfNormal or Exponential")
                    )

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """All random variables, in the order of the unconstrained vector."""
        sites = []
        if self.intercept is not None:
            sites.append(Site("intercept", (), "real", (self.intercept,)))
        if self.columns:
            sites.append(Site("beta", (len(self.columns),), "real", self.beta, self.columns))
        sites += [Site(name, (), "positive", (self.auxiliary[name],)) for name in self.family.free]
        return tuple(sites)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of all scalar parameters, site by site."""
        return tuple(name for site in self.sites for name in site.parameters)

    @property
    def positive(self) -> tuple[bool, ...]:
        """Which scalar parameters are positive."""
        return tuple(site.support == "positive" for site in self.sites for _ in range(site.size))

    @property
    def requirements(self) -> frozenset[str]:
        """What a backend has to declare to fit it, as in ``family:Gaussian``."""
        wanted = {f"family:{self.family.name}", f"link:{getattr(self.family, 'link', 'identity')}"}
        for site in self.sites:
            role = "auxiliary" if site.support == "positive" else "coefficient"
            wanted |= {f"prior:{role}:{type(prior).__name__}" for prior in site.priors}
        return frozenset(wanted)

    def describe(self) -> str:
        """Write the model down, density by density, as on paper."""
        terms = ["intercept"] if self.intercept is not None else []
        terms += [f"beta[{column}] * {column}" for column in self.columns]
        fixed = {name: f"{value:g}" for name, value in self.family.fixed.items()}
        arguments = ["eta", *(fixed.get(name, name) for name in self.family.auxiliaries)]
        link = getattr(self.family, "link", "identity")
        response = "Normal" if self.family.name == "Gaussian" else self.family.name
        if link != "identity":
            arguments[0] = f"inverse-{link}(eta)"
        lines = [f"y ~ {response}({', '.join(arguments)})", f"eta = {' + '.join(terms) or '0'}"]
        for site in self.sites:
            if site.shape and len(set(site.priors)) == 1:
                lines.append(f"{site.name}[j] ~ {site.priors[0]}")
            else:
                lines += [f"{n} ~ {prior}" for n, prior in zip(site.parameters, site.priors, strict=True)]
        return "\n".join(lines)


def state(
    family: Family | str,
    columns: tuple[str, ...],
    priors: Mapping[str, Distribution | str],
    *,
    intercept: bool = True,
) -> Regression:
    """State a regression from priors by site (``beta``) or by coefficient (``beta[x]``).

    A coefficient's own prior wins over its site's.

    Raises
    ------
    RequestError
        A prior names no parameter of this regression, or a parameter has none.
    """
    family = families.parse(family)
    given = {name: distributions.parse(prior) for name, prior in priors.items()}
    coefficients = tuple(f"beta[{c}]" for c in columns)
    known = [*(["intercept"] if intercept else []), *(["beta"] if columns else []), *coefficients, *family.free]
    for name in given:
        if name not in known:
            reason = " (it is fixed by the family)" if name in family.fixed else ""
            raise RequestError(
                f"a prior is given for {name!r}, which is no parameter of this regression{reason}"
                f"{suggest(name, known)} (parameters: {', '.join(known)})"
            )

    def prior_of(name: str, site: str) -> Distribution:
        prior = given.get(name, given.get(site))
        if prior is None:
            raise RequestError(f"no prior for {name}: give one with --prior '{name} ~ Normal(0, 10)'")
        return prior

    return Regression(
        family,
        columns,
        prior_of("intercept", "intercept") if intercept else None,
        tuple(prior_of(name, "beta") for name in coefficients),
        {name: prior_of(name, name) for name in family.free},
    )
