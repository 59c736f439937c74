"""How a comparison is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from msgspec import Meta

from bayescore import methods
from bayescore.agreement.defaults import ALPHA, MARGIN
from bayescore.backend import Precision
from bayescore.errors import check_is
from bayescore.methods import Method
from bayescore.options import Option, Options

Seed = Annotated[int, Meta(ge=0, le=2**63 - 1, description="a whole number of at least 0, under 2**63")]
Jobs = Annotated[
    Annotated[int, Meta(ge=1, le=1000, description="at least 1, at most 1000")] | None,
    Option("processes at a time", "N", default="one a core", in_file=False, fits_stay=True),
]
Cores = Annotated[
    Annotated[int, Meta(ge=1, le=1000, description="at least 1, at most 1000")] | None,
    Option("cores that they share, at most", "N", default="all that the system allows", fits_stay=True),
]


def _method(given: object) -> Method:
    check_is(given, str | Method | type, 'method must be a text, as svi or "nuts(chains=4)"')
    return methods.parse(cast(str, given))


@dataclass(frozen=True)
class Settings(Options):
    """How a comparison is run."""

    method: Annotated[
        str | Method | None,
        Option(
            'for contenders that name none: svi, nuts, "nuts(chains=4, draws=2500)", map, mle, exact',
            read=_method,
            fits_stay=True,
        ),
    ] = None
    reference: Annotated[
        Annotated[str, Meta(description="auto, none, or a contender as a text")],
        Option("auto (the exact posterior where there is one), none, or a contender", "CONTENDER", fits_stay=True),
    ] = "auto"
    margin: Annotated[
        float,
        Meta(gt=0, le=1e6, description="a positive number, at most 1e6"),
        Option("differences below it don't matter, in posterior sds", fits_stay=True),
    ] = MARGIN
    alpha: Annotated[
        float,
        Meta(gt=0, lt=1, description="between 0 and 1"),
        Option("rate at which identical posteriors may be found to disagree", fits_stay=True),
    ] = ALPHA
    seed: Annotated[Seed, Option("seeds the contenders, each by its name, and the toy")] = 0
    precision: Annotated[Precision, Option("of the backends' arithmetic", "float64|float32")] = "float64"
    jobs: Jobs = None
    timeout: Annotated[
        Annotated[
            float,
            Meta(
                gt=0,
                le=1e9,  # under threading.TIMEOUT_MAX
                description="a positive number of seconds, at most 1e9 (without it, there is no limit)",
            ),
        ]
        | None,
        Option("seconds for each contender", "SECONDS", fits_stay=True),
    ] = None
    smoke: Annotated[
        bool, Option("two iterations each: try out the plumbing, conclude nothing", in_file=False, fits_stay=True)
    ] = False
    model_only: Annotated[bool, Option("compare the log densities, and fit nothing", in_file=False, fits_stay=True)] = (
        False
    )
    reduce: Annotated[
        bool, Option("rows are taken together where that leaves the likelihood as it is; with --no-reduce none is")
    ] = True
    cores: Cores = None
    settle: Annotated[
        bool,
        Option(
            "where Monte Carlo error alone leaves the verdict open, chains are drawn again once, two to four times as "
            "long; with --no-settle not",
            fits_stay=True,
        ),
    ] = True


def describe(settings: Settings) -> Mapping[str, Any]:
    """The settings as JSON."""
    return {**vars(settings), "method": None if settings.method is None else str(settings.method)}


def of_fits(settings: Settings) -> Mapping[str, Any]:
    """The settings that fits depend on, their methods aside."""
    return {name: getattr(settings, name) for name, one in settings.declared.items() if not one.said.fits_stay}
