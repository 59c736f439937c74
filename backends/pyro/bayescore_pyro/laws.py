"""Each kind of site as one of Pyro's distributions, given the sites before it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyro
import pyro.distributions as dist
import torch
from pyro.distributions.transforms import CorrMatrixCholeskyTransform
from torch import Tensor
from torch.distributions import constraints

from bayescore.backend import entry_of
from bayescore.model.sites import Correlation, Independent, Offsets, Shift, Shrunken, Site, Thresholds
from bayescore_pyro.translation import prior

Values = Mapping[str, Tensor]


def draw(sites: Iterable[Site]) -> dict[str, Tensor]:
    """A Pyro model: samples the sites in order."""
    values: dict[str, Tensor] = {}
    for site in sites:
        values[site.name] = pyro.sample(site.name, law(site, values))
    return values


def law(site: Site, values: Values) -> Any:
    """The site's distribution, its shape an event, in the default dtype."""
    return entry_of(LAWS, type(site), f"the site {site.name}")(site, values)


def _independent(site: Independent, values: Values) -> Any:
    """Each element by its own prior, which may be one of the linear predictor at the columns' means."""
    if len(site.blocks) == 1:
        own = prior(site.blocks[0].prior, site.shape)
    else:
        blocks = [(torch.from_numpy(b.positions), prior(b.prior, b.positions.shape)) for b in site.blocks]
        own = Mixed(blocks, site.shape)
    return own if site.shift is None else Moved(own, site, site.shift, values)


def _offsets(site: Offsets, values: Values) -> Any:
    """Of one effect, given those before it: Normal(0, D R D) a level, conditioned by its Cholesky factor."""
    given, own = site.given, len(site.given.offsets)
    sds = torch.stack([values[name] for name in given.sds])
    if not own:
        return dist.Normal(torch.zeros(site.shape), sds[0]).to_event(1)
    assert given.correlation is not None  # as with every term of two effects or more
    root = sds[:, None] * _root(_matrix(values[given.correlation].reshape(-1), given.size))[: own + 1, : own + 1]
    before = torch.stack([values[name] for name in given.offsets])
    mean = root[own, :own] @ torch.linalg.solve_triangular(root[:own, :own], before, upper=False)
    return dist.Normal(mean, root[own, own]).to_event(1)


def _shrunken(site: Shrunken, values: Values) -> Any:
    """Given the horseshoe's scales."""
    wide = values[site.given.global_scale] * values[site.given.local]
    return dist.Normal(0.0, wide / torch.sqrt(1.0 + wide**2 / values[site.given.slab])).to_event(1)


LAWS: Mapping[type[Site], Callable[[Any, Values], Any]] = {
    Independent: _independent,
    Thresholds: lambda site, values: _independent(site.independent, values),
    Correlation: lambda site, values: Correlations(site.k, float(site.prior.concentration), site.shape),
    Offsets: _offsets,
    Shrunken: _shrunken,
}


class Mixed(dist.TorchDistribution):  # type: ignore[misc]
    """Independent elements of several kinds: each block has its positions, in C order, and its distribution."""

    arg_constraints: Mapping[str, Any] = {}
    support = constraints.real_vector

    def __init__(self, blocks: Sequence[tuple[Tensor, Any]], shape: tuple[int, ...]) -> None:
        self.blocks = list(blocks)
        self.order = torch.argsort(torch.cat([positions for positions, _ in blocks]))
        super().__init__(event_shape=torch.Size(shape), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        flat = value.flatten(-len(self.event_shape))
        terms = [block.log_prob(flat[..., positions]) for positions, block in self.blocks]
        return torch.stack(terms).sum(0)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        flat = torch.cat([block.sample(sample_shape) for _, block in self.blocks], dim=-1)[..., self.order]
        return flat.reshape((*sample_shape, *self.event_shape))


class Moved(dist.TorchDistribution):  # type: ignore[misc]
    """A site whose law is that of its values with the columns' means, times their coefficients, added."""

    arg_constraints: Mapping[str, Any] = {}
    support = constraints.real_vector

    def __init__(self, own: Any, site: Independent, shift: Shift, values: Values) -> None:
        self.own, self.values = own, values
        self.name, self.coefficients = site.name, shift.coefficients
        self.predictor, self.means = torch.tensor(shift.predictor), torch.tensor(shift.means)
        super().__init__(event_shape=own.event_shape, validate_args=False)

    def added(self, value: Tensor) -> Tensor:
        """At a value of the site, whose own elements may be the coefficients."""
        beta = value if self.coefficients == self.name else self.values[self.coefficients]
        rows = beta.reshape(-1, self.means.shape[1])[self.predictor]
        return (rows * self.means).sum(-1).reshape(self.event_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        density: Tensor = self.own.log_prob(value + self.added(value))
        return density

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        drawn: Tensor = self.own.sample(sample_shape)
        return drawn - self.added(drawn)


class Correlations(dist.TorchDistribution):  # type: ignore[misc]
    """LKJ, as a density of the correlations below the diagonal, row by row; a scalar for two effects."""

    arg_constraints: Mapping[str, Any] = {}
    support = constraints.real_vector

    def __init__(self, k: int, concentration: float, shape: tuple[int, ...]) -> None:
        self.k, self.concentration = k, concentration
        super().__init__(event_shape=torch.Size(shape), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        matrix = _matrix(value if self.event_shape else value[..., None], self.k)
        root = _root(matrix)
        log_det = CorrMatrixCholeskyTransform().log_abs_det_jacobian(matrix, root)
        density: Tensor = dist.LKJCholesky(self.k, torch.tensor(self.concentration)).log_prob(root) + log_det
        return density

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw the Cholesky factor row by row; torch's LKJCholesky (2.13) draws too wide ones for k > 2."""
        root = torch.zeros(*sample_shape, self.k, self.k)
        root[..., 0, 0] = 1.0
        for row in range(1, self.k):
            rest = self.concentration + (self.k - 1 - row) / 2
            square = dist.Beta(torch.tensor(row / 2), torch.tensor(rest)).sample(sample_shape)
            direction = torch.nn.functional.normalize(torch.randn(*sample_shape, row), dim=-1)
            root[..., row, :row] = square.sqrt()[..., None] * direction
            root[..., row, row] = (1.0 - square).sqrt()
        rows, columns = torch.tril_indices(self.k, self.k, -1)
        drawn: Tensor = (root @ root.mT)[..., rows, columns].reshape((*sample_shape, *self.event_shape))
        return drawn


def _matrix(correlations: Tensor, k: int) -> Tensor:
    """The correlation matrices (..., k, k) of correlations (..., k (k - 1) / 2)."""
    row, column = torch.tril_indices(k, k, -1)
    positions = torch.zeros(k, k, dtype=torch.long)  # 0 is the diagonal's
    positions[row, column] = positions[column, row] = 1 + torch.arange(len(row))
    return torch.cat([torch.ones_like(correlations[..., :1]), correlations], -1)[..., positions]


def _root(matrix: Tensor) -> Tensor:
    """Cholesky factors; NaN, not an error, where rounding has made a matrix singular."""
    root, failed = torch.linalg.cholesky_ex(matrix)
    return torch.where(failed[..., None, None] == 0, root, torch.nan)
