"""What a fit says about the parameters: labelled draws, and moments where they are known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args

import numpy as np

from bayescore.errors import BackendContractError, DataError
from bayescore.methods import Estimand, Kind, estimand_of
from bayescore.model.arrays import Array
from bayescore.model.transforms import REAL, Bounds, to_real
from bayescore.model.variables import Sited
from bayescore.printable import count, html, shortened

_MOST_SHOWN = 20


@dataclass(frozen=True)
class Moments:
    """Moments that are known better than from draws.

    Arrays are in the order of ``names``, the regression's parameters. Errors are
    Monte Carlo standard errors, 0 where the value is exact.

    Attributes
    ----------
    names
        The d scalar parameters.
    unconstrained_mean, unconstrained_mean_error
        Shape (d,), on the scale that parameters are judged on (`to_judged`): positive ones
        as logarithms, bounded ones as logits.
    unconstrained_cov
        Shape (d, d).
    unconstrained_sd_error
        Shape (d,): errors of the square roots of the diagonal.
    mean, mean_error, sd, sd_error
        Shape (d,), of the constrained parameters.
    unconstrained_mean_error_cov
        Shape (d, d): covariance of the errors of ``unconstrained_mean``, or None to take
        them as independent.
    log_joint, log_joint_error
        Posterior mean of log p(y, theta), in nats, or None.
    log_evidence, log_evidence_error
        Log p(y), in nats; None where unknown, or undefined by an improper prior. For
        a guide its ELBO, which is a lower bound of it, is kept in the fit instead.
    quadrature_error
        Largest error of means (in sds), covariances, log joint and log evidence where they
        are found by quadrature; 0 for closed forms.
    """

    names: tuple[str, ...]
    unconstrained_mean: Array
    unconstrained_mean_error: Array
    unconstrained_cov: Array
    unconstrained_sd_error: Array
    mean: Array
    mean_error: Array
    sd: Array
    sd_error: Array
    unconstrained_mean_error_cov: Array | None = None
    log_joint: float | None = None
    log_joint_error: float = 0.0
    log_evidence: float | None = None
    log_evidence_error: float = 0.0
    quadrature_error: float = 0.0

    def take(self, names: Sequence[str]) -> "Moments":
        """The same of these parameters, in this order."""
        at = [self.names.index(name) for name in names]
        taken: dict[str, Any] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, np.ndarray):
                taken[part.name] = value[np.ix_(at, at)] if value.ndim == 2 else value[at]
        return replace(self, names=tuple(names), **taken)


def to_judged(values: Array, bounds: Sequence[Bounds]) -> Array:
    """Scalar parameters (..., d) on the scale they are judged on: as they are, as logarithms, as logits."""
    judged = np.array(values, dtype=np.float64)
    for j, ends in enumerate(bounds):
        if ends != REAL:
            judged[..., j] = to_real(judged[..., j], ends, np)
    return judged


@dataclass(frozen=True, repr=False)
class Posterior:
    """Draws by site, with their labels.

    Attributes
    ----------
    draws
        For each site an array of shape (chain, draw, *site shape), in the constrained
        space; unthinned, chains and order kept. A point estimate is one draw.
    labels
        For each site with dimensions, the names of its elements, in C order; they are
        numbered where they have none.
    sample_stats
        Arrays (chain, draw) under ArviZ's names: ``diverging``, ``energy``,
        ``tree_depth``, ``lp``, and ``log_q``, the log density that a guide has at its own
        draws, of the values as they are reported.
    moments
        Moments that are known better than from the draws, or None.
    kind
        What it is (`bayescore.methods.Kind`): ``chains``, ``independent``, ``exact``,
        ``guide``, ``mle`` or ``map``.

    Raises
    ------
    DataError
        There is no such kind, or it says exact and has no moments.
    """

    draws: Mapping[str, Array]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sample_stats: Mapping[str, np.ndarray] = field(default_factory=dict)
    moments: Moments | None = None
    kind: Kind = "chains"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise DataError(f"a posterior can't be of the kind {self.kind!r} (kinds: {', '.join(get_args(Kind))})")
        if self.kind == "exact" and self.moments is None:
            raise DataError("an exact posterior has moments; draws alone are of the kind 'independent'")

    def __repr__(self) -> str:
        sites = ", ".join(self.draws)
        return shortened(f"Posterior({self.kind}, {self._drawn}: {sites})", 200)

    @property
    def _drawn(self) -> str:
        chains, draws = self.shape
        return count(draws, "draw") if chains == 1 else f"{count(chains, 'chain')} of {count(draws, 'draw')}"

    def _repr_html_(self) -> str:
        """For a notebook: mean and sd of the first parameters."""
        known = self.parameters()
        point = self.estimand != "posterior"
        rows = [
            (name, f"{values.mean():.5g}", "" if point else f"{values.std():.3g}")
            for name, values in list(known.items())[:_MOST_SHOWN]
        ]
        more = [f"the first {_MOST_SHOWN} of {len(known)} parameters"] if len(known) > _MOST_SHOWN else []
        return html("Posterior", [f"{self.kind}, {self._drawn}", *more], ("parameter", "mean", "sd"), rows)

    @property
    def estimand(self) -> Estimand:
        """What it estimates: ``posterior``, or ``mle`` or ``map`` for a point."""
        return estimand_of(self.kind)

    @property
    def shape(self) -> tuple[int, int]:
        """(chain, draw)."""
        first = next(iter(self.draws.values()))
        return int(first.shape[0]), int(first.shape[1])

    @property
    def divergences(self) -> int | None:
        """How many transitions diverged; None where the backend does not tell."""
        diverging = self.sample_stats.get("diverging")
        return None if diverging is None else int(np.count_nonzero(diverging))

    def flat(self) -> dict[str, Array]:
        """Draws by site, the chains one after another: shape (chain * draw, *site shape)."""
        return {site: np.reshape(v, (-1, *v.shape[2:])) for site, v in self.draws.items()}

    def parameters(self) -> dict[str, Array]:
        """Scalar parameters by name, each of shape (chain, draw); elements without labels are numbered."""
        flat: dict[str, Array] = {}
        for site, values in self.draws.items():
            if values.ndim == 2:
                flat[site] = values
            else:
                elements = values.reshape(*values.shape[:2], -1)
                labels = self.labels.get(site) or [",".join(map(str, at)) for at in np.ndindex(values.shape[2:])]
                flat |= {f"{site}[{label}]": elements[..., j] for j, label in enumerate(labels)}
        return flat


def label(sited: Sited, draws: Mapping[str, Array], **more: object) -> Posterior:
    """Make a `Posterior` of a regression's draws, with its labels and site order.

    Raises
    ------
    BackendContractError
        A site has no draws.
    """
    wanted = [site.name for site in sited.sites]
    if not set(wanted) <= set(draws):
        hint = other_names(wanted, draws)
        likeliest = f"; likeliest mistake: {hint}" if hint else ""
        raise BackendContractError(f"expected draws of the sites {wanted}, got {list(draws)}{likeliest}")
    labels = {site.name: site.labels for site in sited.sites if site.shape}
    ordered = {site.name: np.asarray(draws[site.name], dtype=np.float64) for site in sited.sites}
    return Posterior(ordered, labels, **more)  # type: ignore[arg-type]


def other_names(wanted: Sequence[str], found: Collection[str]) -> str | None:
    """Which site goes by another name, if it is plain."""
    absent, unknown = [n for n in wanted if n not in found], [n for n in found if n not in wanted]
    if len(absent) == 1 and len(unknown) == 1:
        return f"{absent[0]} is called {unknown[0]!r}"
    return f"{' and '.join(absent)} left out" if absent and not unknown else None
