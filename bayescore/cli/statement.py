"""What is to be fitted, and by whom, as options."""

from dataclasses import dataclass
from typing import Annotated

from bayescore.options import Option, Options

_FAMILIES = (
    'gaussian (default), "Gaussian(sigma=0.1)", studentt, bernoulli, "Bernoulli(link=probit)", binomial, poisson, '
    "negativebinomial, gamma, exponential, beta, ordinal, categorical"
)


@dataclass(frozen=True)
class Contenders(Options):
    """Who fits it."""

    backends: Annotated[
        tuple[str, ...],
        Option('as pyro, numpyro:nuts, "pyro:svi(guide=full_rank)", exact', "CONTENDER", default="all installed"),
    ] = ()


@dataclass(frozen=True)
class Statement(Options):
    """What is to be fitted."""

    data: Annotated[
        str,
        Option('toy, "toy(n=100, p=1, noise_sd=0.1)", FILE.csv or FILE.parquet', path=True),
    ] = "toy"
    formula: Annotated[str | None, Option('as "y ~ x1 + x2"; needed for a file')] = None
    family: Annotated[str | None, Option(_FAMILIES, "FAMILY")] = None
    weights: Annotated[str | None, Option("the column that multiplies each row's log likelihood", "COLUMN")] = None
    levels: Annotated[
        tuple[str, ...],
        Option(
            'the order of levels, as "y: low < medium < high"; of a predictor the reference first',
            '"COLUMN: A < B"',
            repeatable=True,
        ),
    ] = ()
    network: Annotated[tuple[int, ...], Option("a network with these hidden layers, as 16 or 16 8", "UNITS")] = ()
    prior: Annotated[
        tuple[str, ...],
        Option('as "beta ~ Normal(0, 10)" or "beta[x] ~ Flat()"', '"SITE ~ PRIOR"', repeatable=True),
    ] = ()
    new_data: Annotated[
        str | None, Option("rows to predict", "FILE", default="at most 200 of the data's own", path=True)
    ] = None
    drop_missing: Annotated[bool, Option("leave out rows with missing values, and say which")] = False
