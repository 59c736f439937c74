"""The neutral statement of a regression: family, coefficients, groups, and every prior.

A `Regression` is complete: nothing in it is left to a backend's taste. Its sites are the
intercept, `beta` (one coefficient a column), the family's free auxiliary parameters, and
for each group effect an sd and offsets; its parameters are their scalar elements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bayescore.errors import RequestError
from bayescore.model.data import Data
from bayescore.model.distributions import AtMeans, Distribution, Horseshoe, at_zero
from bayescore.model.families import Family
from bayescore.model.groups import GroupTerm
from bayescore.model.network import Network
from bayescore.model.sites import Correlation, Independent, Offsets, Shift, Shrunken, Site, Thresholds
from bayescore.model.transforms import GroupOffsets, Shrinkage
from bayescore.model.variables import Sited
from bayescore.printable import printable

_MEANS = {"log": "exp(eta)", "logit": "logistic(eta)", "probit": "Phi(eta)", "cloglog": "1 - exp(-exp(eta))"}
"""What the inverse of each link makes of the linear predictor, as on paper."""


@dataclass(frozen=True)
class Regression(Sited):
    """One Bayesian regression, stated once for every backend.

    Parameters
    ----------
    family
        Distribution of the response.
    columns
        Names of the design matrix's columns, the intercept not among them.
    intercept
        Prior of the intercept, or None where there is none. For a categorical response
        one for all its levels but the first.
    beta
        One prior a column; for a categorical response level by level.
    auxiliary
        Prior of each free auxiliary parameter of the family.
    thresholds
        One prior a threshold of an ordinal response.
    groups
        The group terms.
    network
        Instead of intercept and beta, or None.
    categories
        Names of the response's categories.
    means
        Where `AtMeans` is: one number a column, by ``1`` for intercepts, thresholds and the
        biases of a network's first layer, and by its name for a column that takes the
        intercept's place.

    Raises
    ------
    RequestError
        A prior is missing or superfluous, or its support does not fit its site.
    """

    family: Family
    columns: tuple[str, ...]
    intercept: Distribution | tuple[Distribution, ...] | None
    beta: tuple[Distribution, ...]
    auxiliary: Mapping[str, Distribution] = field(default_factory=dict)
    thresholds: tuple[Distribution, ...] = ()
    groups: tuple[GroupTerm, ...] = ()
    network: Network | None = None
    categories: tuple[str, ...] = ()
    means: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        coefficients = 0 if self.network else len(self.columns) * self.family.predictors
        if len(self.beta) != coefficients:
            raise RequestError(f"{coefficients} coefficients need as many priors, not {len(self.beta)}")
        if set(self.auxiliary) != set(self.family.free):
            raise RequestError(f"{self.family} needs priors for {list(self.family.free)}, not {list(self.auxiliary)}")
        if self.family.thresholds and (self.intercept is not None or not self.thresholds):
            raise RequestError(f"{self.family} has thresholds in the intercept's place")
        if self.family.by_level and (self.groups or self.network):
            raise RequestError(f"{self.family.name} has no group terms and no network")
        if any(isinstance(p, Horseshoe) for p in self.beta) and len(set(self.beta)) > 1:
            raise RequestError("Horseshoe() is one prior of all coefficients: no coefficient can have another")
        _ = self.sites  # refuses a prior that does not fit

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """All random variables, in the order of the unconstrained vector: each after those it depends on.

        The intercept is the first, but where its prior is stated at the columns' means: then it
        follows the coefficients.
        """
        found = sorted(
            self._coefficients(),
            key=lambda site: isinstance(site, Independent) and site.name == "intercept" and site.shift is not None,
        )
        found += [Independent(name, (), (), "positive", (self.auxiliary[name],)) for name in self.family.free]
        if self.thresholds:
            count = len(self.thresholds)
            labels = tuple(str(k + 1) for k in range(count))
            priors, shift = self._shifted(self.thresholds, [0] * count, sign=-1.0)
            found.append(Thresholds("threshold", (count,), labels, priors, shift))
        terms = [_group_sites(term) for term in self.groups]
        found += [site for scales, _ in terms for site in scales]
        found += [site for _, offsets in terms for site in offsets]
        return tuple(found)

    def _coefficients(self) -> list[Site]:
        if self.network is not None:
            return [*self.network.sites(self.columns, self.means.get("1"))]
        found: list[Site] = []
        levels = self.categories[1:] if self.family.by_level else ()
        if isinstance(self.intercept, tuple):
            priors, shift = self._shifted(self.intercept, range(len(levels)))
            found.append(Independent("intercept", (len(levels),), levels, "real", priors, shift))
        elif self.intercept is not None:
            priors, shift = self._shifted((self.intercept,), [0])
            found.append(Independent("intercept", (), (), "real", priors, shift))
        if not self.columns:
            return found
        p = len(self.columns)
        if isinstance(self.beta[0], Horseshoe) and not levels:
            return found + _horseshoe(self.beta[0], self.columns)
        shape = (len(levels), p) if levels else (p,)
        labels = tuple(f"{level},{column}" for level in levels for column in self.columns) if levels else self.columns
        priors, shift = self._shifted(self.beta, [k // p for k in range(len(self.beta))], columns=True)
        found.append(Independent("beta", shape, labels, "real", priors, shift))
        return found

    def _shifted(
        self, priors: tuple[Distribution, ...], predictor: Sequence[int], *, sign: float = 1.0, columns: bool = False
    ) -> tuple[tuple[Distribution, ...], Shift | None]:
        """The priors of a site, and what those at the means are of; without columns they are of the site itself."""
        if not self.columns:
            return tuple(at_zero(prior) for prior in priors), None
        if not any(isinstance(prior, AtMeans) for prior in priors):
            return priors, None
        rows = []
        for k, prior in enumerate(priors):
            place = self.columns[k % len(self.columns)] if columns else "1"
            means = self.means.get(place, ())
            if isinstance(prior, AtMeans) and len(means) != len(self.columns):
                reason = f"not of the coefficient of {place}" if columns else "and the columns' means are not given"
                raise RequestError(f"AtMeans() is a prior of an intercept, {reason}: use Normal or StudentT")
            rows.append(
                tuple(sign * m if isinstance(prior, AtMeans) else 0.0 for m in means or (0.0,) * len(self.columns))
            )
        return priors, Shift("beta", tuple(predictor), tuple(rows))

    @property
    def identified(self) -> bool:
        """Whether its parameters can be compared; a network's can't, only its predictions."""
        return self.network is None

    @property
    def requirements(self) -> frozenset[str]:
        """What a backend has to declare to fit it, as in ``family:Gaussian``."""
        wanted = {f"family:{self.family.name}", f"link:{self.family.link_name}"}
        if self.network is not None:
            wanted.add("feature:network")
        return frozenset(wanted).union(*(site.requirements for site in self.sites))

    def describe(self, data: Data | None = None) -> str:
        """Write the model down, density by density, as on paper.

        Parameters
        ----------
        data
            Its data, whose offset and weights belong to the model's text.
        """
        names = {name: f"{self.family.fixed.get(name, name):g}" if name in self.family.fixed else name
                 for name in self.family.auxiliaries}  # fmt: skip
        mean = _MEANS.get(self.family.link_name, "eta")
        response = self.family.written.format(mean=mean, eta="eta", **names)
        offset = data is not None and data.offset is not None
        lines = [f"y ~ {response}", *self._written_predictor(["offset"] if offset else [])]
        if data is not None and data.weights is not None and data.ones is None:
            lines.insert(1, "each row's log likelihood is multiplied by its weight")
        return "\n".join(map(printable, lines + [line for site in self.sites for line in site.written()]))

    def _written_predictor(self, more: Sequence[str]) -> list[str]:
        if self.network is not None:
            widths = " -> ".join(str(w) for w in (len(self.columns), *self.network.hidden, 1))
            terms = [f"network({', '.join(self.columns)}; {widths}, tanh)"]
        elif self.family.by_level:
            terms = ["intercept[k]"] if self.intercept is not None else []
            terms += [f"beta[k,{column}] * {column}" for column in self.columns]
        else:
            terms = ["intercept"] if self.intercept is not None else []
            terms += [f"beta[{column}] * {column}" for column in self.columns]
        for term in self.groups:
            for effect, key in zip(term.grouping.effects, term.grouping.keys, strict=True):
                name = f"offset({key})[{term.grouping.factor}]"
                terms.append(name if effect == "1" else f"{name} * {effect}")
        terms += more
        left = "eta[k]" if self.family.by_level else "eta"
        return [f"{left} = {' + '.join(terms) or '0'}"]


def _horseshoe(prior: Horseshoe, columns: tuple[str, ...]) -> list[Site]:
    given = Shrinkage("global(beta)", "local(beta)", "slab(beta)")
    shape = (len(columns),)
    return [
        Independent(given.global_scale, (), (), "positive", (prior.global_scale,)),
        Independent(given.slab, (), (), "positive", (prior.slab,)),
        Independent(given.local, shape, columns, "positive", (prior.local,) * len(columns)),
        Shrunken("beta", shape, columns, prior, given),
    ]


def _group_sites(term: GroupTerm) -> tuple[list[Site], list[Site]]:
    """Sds and correlations of a term, and its offsets."""
    keys, factor = term.grouping.keys, term.grouping.factor
    sds = [f"sd({key})" for key in keys]
    scales: list[Site] = [
        Independent(name, (), (), "positive", (prior,)) for name, prior in zip(sds, term.sds, strict=True)
    ]
    correlation = None
    k = len(keys)
    if k > 1:
        assert term.correlation is not None
        effects = term.grouping.effects
        correlation = f"cor({','.join(effects)}|{factor})"
        pairs = tuple(f"{effects[j]},{effects[i]}" for i in range(1, k) for j in range(i))
        shape = () if k == 2 else (len(pairs),)
        scales.append(Correlation(correlation, shape, pairs if shape else (), k, term.correlation))
    names = [f"offset({key})" for key in keys]
    offsets: list[Site] = []
    for j, name in enumerate(names):
        given = GroupOffsets(tuple(sds[: j + 1]), tuple(names[:j]), correlation, k)
        levels = term.grouping.levels
        offsets.append(Offsets(name, (len(levels),), levels, given))
    return scales, offsets
