"""The contract of a backend: four verbs. Read this first.

A backend takes a neutral regression and its data, fits it with a method, and gives
back draws and predictions. NumPy goes in and NumPy comes out; what a backend keeps
between the calls (``NativeData``, ``Fit.native``) is its own affair. Three verbs have to be
written; predictions are the core's where a backend has none of its own.

A plugin is a module with one function:

    @hookimpl
    def bayescore_backends():
        yield BackendInfo(name="mine", factory=make, supports={"method:nuts", ...})

named in its distribution's metadata under the entry-point group ``bayescore``.
That module should import nothing heavy: the libraries belong in ``factory``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, get_args

import pluggy

from bayescore.errors import UnsupportedError
from bayescore.methods import METHODS, SVI, Method, parse

if TYPE_CHECKING:
    from bayescore.model.arrays import Array
    from bayescore.model.data import Data
    from bayescore.model.posterior import Posterior
    from bayescore.model.regression import Regression

API_VERSION = 1
Precision = Literal["float64", "float32"]
Space = Literal["constrained", "unconstrained"]
NativeData: TypeAlias = Any
Key = TypeVar("Key")
Entry = TypeVar("Entry")
FEATURES = (
    "log_density", "groups", "network", "offset", "weights", "reduction", "minibatch", "own_guide", "lift", "programs"
)  # fmt: skip
"""What a backend may declare beside families, links, priors, methods, guides and precisions:

``log_density``; what regressions and rows may have: ``groups``, ``network``, ``offset``, ``weights``,
``reduction`` (rows that stand for many: `bayescore.model.data.Data.ones`); for SVI ``minibatch`` and
``own_guide``; ``lift``, for modules of one's own; and ``programs`` of one's own
(`bayescore.program`).
"""
PROGRAM_METHODS = ("nuts", "svi")
"""What programs of one's own are fitted by, each declared as ``program:nuts`` or ``program:svi``; with a guide of
one's own by ``program:own_guide``, too."""

hookspec = pluggy.HookspecMarker("bayescore")
hookimpl = pluggy.HookimplMarker("bayescore")


class Progress(Protocol):
    """Called now and then while a fit runs, and at its last step."""

    def __call__(self, step: int, total: int, **figures: float) -> None:
        """Step so far, of so many; figures such as ``loss`` and ``rate``."""


def no_progress(step: int, total: int, **figures: float) -> None:
    """The `Progress` that says nothing."""


@dataclass(frozen=True)
class Fit:
    """What a fit leaves behind.

    Attributes
    ----------
    regression, method
        What was fitted, and how.
    native
        The backend's own objects.
    losses
        The optimizer's loss at each step (for SVI the negative ELBO, in nats), shape
        (step,), or None.
    iterates
        SVI's guide parameters at each step of the averaged half, by name: locations
        ``loc`` (step, d) in units of ``scale``, and ``log_scale`` (step, d).
    seconds
        Parts of the fit that the backend can tell apart, as ``compile``.
    """

    regression: Regression
    method: Method
    native: Any
    losses: Array | None = None
    iterates: Mapping[str, Array] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LogDensity:
    """Log p(y, theta) at one point, in nats, no Jacobian.

    Attributes
    ----------
    total
        Sum over the sites and the likelihood.
    by_site
        Each site's prior term, and ``likelihood``; None if not given: where the total is another
        one, the term can't be named then.
    gradient
        Derivatives, by site and in its shape; None if not given.
    gradient_of
        ``constrained``: of the total, in the values of theta. ``unconstrained``: in the numbers
        u that the core's transforms make theta of (`bayescore.model.transforms`), of the total
        plus log |d theta / d u|, which is the density of u and what samplers climb.
    by_row
        Of a program's sites, each row's share of the site's term, in the site's batch shape:
        rows are what the program takes as independent. None, or a site left out, where they
        can't be told apart.
    """

    total: float
    by_site: Mapping[str, float] | None = None
    gradient: Mapping[str, Array] | None = None
    gradient_of: Space = "constrained"
    by_row: Mapping[str, Array] | None = None


class Backend(ABC):
    """An inference engine behind the four verbs.

    The same seed gives the same result. Outside a call no global state is left
    changed: parameter stores, default dtypes, configuration.
    """

    @abstractmethod
    def build_data(self, regression: Regression, data: Data) -> NativeData:
        """Carry a regression's data over, once."""

    @abstractmethod
    def fit(
        self,
        regression: Regression,
        data: NativeData,
        method: Method,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> Fit:
        """Fit, warm-up and MCMC draws included."""

    @abstractmethod
    def sample_posterior(self, fit: Fit, *, seed: int) -> Posterior:
        """Draws of every site, in the constrained space; MCMC's own, unthinned.

        The posterior says of what ``kind`` it is: one of the method's
        (`bayescore.methods.Method.kinds`).
        """

    def predict(
        self,
        fit: Fit,
        posterior: Posterior,
        new_data: Data,
        *,
        kind: Literal["mean", "response"] = "mean",
        seed: int,
    ) -> Array:
        """Posterior draws of the expected response, or of new responses: (chain, draw, row).

        The expected response of a family with categories is their probabilities, along a
        last axis. The draws may hold more levels of a group than the regression was
        stated with: those that only the new data have. A backend that does not say
        otherwise predicts by the core's linear predictor and family, in NumPy.
        """
        import numpy as np

        from bayescore.model.response import Law

        law = Law.of(fit.regression, new_data, posterior.draws)
        return np.array(law.mean if kind == "mean" else law.sample(np.random.default_rng(seed)))

    def log_density(self, regression: Regression, data: NativeData, values: Mapping[str, Array]) -> LogDensity:
        """Log density at constrained ``values``, for backends that declare ``feature:log_density``."""
        raise NotImplementedError


def everything(*kinds: str) -> frozenset[str]:
    """All that this core can ask of a backend, in the words of `BackendInfo.supports`, or what is of these kinds."""
    words: dict[str, Iterable[str]] = {
        "method": METHODS,
        "guide": SVI.guides,
        "program": (*PROGRAM_METHODS, "own_guide"),
        "feature": FEATURES,
        "precision": get_args(Precision),
    }
    if not kinds or not words.keys() >= set(kinds):  # these registries import NumPy: a listing does without it
        from bayescore.model.distributions import DISTRIBUTIONS
        from bayescore.model.families import FAMILIES

        words["family"] = FAMILIES
        words["link"] = [link for family in FAMILIES.values() for link in family.links]
        words["prior"] = [f"{role}:{name}" for name, prior in DISTRIBUTIONS.items() for role in prior.roles()]
    return frozenset(f"{kind}:{name}" for kind in kinds or words for name in words[kind])


def entry_of(table: Mapping[Key, Entry], key: Key, what: str) -> Entry:
    """What a backend's table has for something of the core's.

    Parameters
    ----------
    what
        Of the key, in words, as "the family Gaussian".

    Raises
    ------
    UnsupportedError
        It has nothing: the core is newer than the backend.
    """
    if key not in table:
        raise UnsupportedError(f"not yet: {what} is not in this version of the backend; upgrade it")
    return table[key]


def no_limits(regression: Regression, method: Method) -> str | None:
    """What is declared part by part can be fitted together."""
    return None


@dataclass(frozen=True)
class BackendInfo:
    """What a plugin declares, without importing a heavy library.

    Attributes
    ----------
    name
        As it is written on the command line.
    factory
        Makes the backend for a precision; imports its library here.
    supports
        What it can do: ``family:Gaussian``, ``link:logit``, ``prior:coefficient:Normal``,
        ``prior:auxiliary:HalfCauchy``, ``prior:correlation:LKJ``, ``method:nuts``,
        ``guide:full_rank``, ``precision:float32``, ``feature:groups`` (`FEATURES`). None for
        all that the core can ask for (`everything`) but the gaps: what a newer core asks for is
        refused where the backend comes to it (`entry_of`).
    gaps
        For an absent one a sentence that begins with "not yet", "upstream" or "never".
    requires
        Import names of its libraries, looked for before ``factory`` is called.
    limits
        Why a regression can't be fitted with a method although each of its parts is
        declared, or None if it can; asked in the parent, before any work.
    default_method
        The method of a contender that names none.
    methods
        Settings classes of methods that the plugin brings beside the core's
        (`bayescore.methods.Method`), written as ``mine:my_method(step=0.1)``. Each says by what it is
        judged; it is declared by that, too.
    environment
        Variables set for a worker process that runs it; ``{cache}`` stands for a folder
        that is kept from run to run.
    api_version
        The version of this contract that it was written for.
    """

    name: str
    factory: Callable[[Precision], Backend]
    supports: frozenset[str] | set[str] | None = None
    gaps: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    limits: Callable[[Regression, Method], str | None] = no_limits
    default_method: str = "svi"
    methods: Sequence[type[Method]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    api_version: int = API_VERSION

    def declared(self, *kinds: str) -> frozenset[str]:
        """What it can do, methods of its own among it: all, or what is of these kinds."""
        stated = everything(*kinds) - self.gaps.keys() if self.supports is None else self.supports
        whole = stated | {f"method:{own.name}" for own in self.methods}
        return frozenset(word for word in whole if not kinds or word.partition(":")[0] in kinds)

    def refusal(self, requirements: Iterable[str]) -> str | None:
        """Why it does not declare these requirements, or None if it does."""
        absent = sorted(set(requirements) - self.declared())
        if not absent:
            return None
        said = {self.gaps.get(a) or self._undeclared(a) for a in absent}
        return "; ".join(sorted(map(without_marker, said)))

    def _undeclared(self, wanted: str) -> str:
        """In words, that it is absent, and what may have been meant by it."""
        meant = [s for s in sorted(self.declared()) if s.lower() == wanted.lower()]
        hint = f" (it declares {meant[0]!r}: write {wanted!r})" if meant else ""
        return f"{self.name} does not declare {wanted!r}{hint}"

    def read(self, method: str | Method) -> Method:
        """A method as this backend takes it, one that it brings in its class.

        Raises
        ------
        RequestError
            It is no method, or a setting is wrong.
        """
        return parse(method, self.methods)

    def limit(self, regression: Regression, method: Method) -> str | None:
        """What ``limits`` says, as it is told to who asked for it."""
        said = self.limits(regression, self.read(method))
        return without_marker(said) if isinstance(said, str) else said


def without_marker(sentence: str) -> str:
    """A gap's sentence without "never", which sorts gaps and says nothing to who ran into one."""
    return sentence.removeprefix("never: ")
