"""``bayescore study``: measure the rule itself."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from bayescore.cli import flags
from bayescore.options import Option, Options
from bayescore.settings import Cores, Jobs, Seed

_PARTS = ("density", "draws", "refits")
_Count = Annotated[int, Meta(ge=1, le=10**6, description="at least 1 and at most 1000000")]


@dataclass(frozen=True)
class Measurement(Options):
    """What is measured."""

    parts: Annotated[tuple[str, ...], Option("density, draws, refits", "PART", default="all")] = _PARTS
    targets: Annotated[
        tuple[str, ...], Option("toy, skewed, twenty, correlated, funnel, heavy", "TARGET", default="all")
    ] = ()
    faults: Annotated[tuple[str, ...], Option('of draws, as none, "slope skewed"', "FAULT", default="all")] = ()
    engine: Annotated[str, Option("the backend that is drawn from")] = "numpyro"
    repetitions: Annotated[_Count, Option("for faults of density and of draws", "N")] = 300
    refits: Annotated[_Count, Option("for faults that are fitted anew", "N")] = 50
    seed: Annotated[Seed, Option("of all draws and fits")] = 0
    jobs: Jobs = None
    cores: Cores = None
    out: Annotated[str | None, Option("write the tables there, too", "FILE")] = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    flags.add(parser, Measurement)


def run(options: argparse.Namespace) -> int:
    """Measure and print, part by part."""
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.comparison.runner import export_environment
    from bayescore.plugins import loading
    from bayescore.study import measure, tables
    from bayescore.study.faults import DRAW_FAULTS
    from bayescore.study.targets import NAMES
    from bayescore.system import writing

    asked = Measurement(**flags.given(options, Measurement))
    out = None if asked.out is None else Path(asked.out)
    if out is not None:
        writing.check(out)
    targets = _known(asked.targets or NAMES, NAMES, "target")
    parts = _known(asked.parts, _PARTS, "part")
    export_environment(loading.load()[asked.engine].info)
    settings = measure.Extent(
        asked.engine,
        repetitions=asked.repetitions,
        refits=asked.refits,
        faults=_known(asked.faults, tuple(fault.name for fault in DRAW_FAULTS), "fault"),
        seed=asked.seed,
        jobs=asked.jobs,
        cores=asked.cores,
    )
    written = []

    def report(title: str, table: str) -> None:
        written.append(f"### {title}\n\n{table}\n")
        print(written[-1], flush=True)

    if "density" in parts:
        found = measure.in_parallel(measure.density_faults, settings, "density", settings.repetitions)
        report(f"Faults of a density, {settings.repetitions} repetitions", tables.density(found))
    if "refits" in parts:
        found = measure.in_parallel(measure.refits, settings, "refits", settings.refits)
        report(f"Faults of a fit, on the toy, {settings.refits} repetitions", tables.refits(found))
    for target in targets if "draws" in parts else []:
        found = measure.in_parallel(measure.draw_faults, settings, target, settings.repetitions)
        report(f"Faults of draws, {target}, {settings.repetitions} repetitions", tables.draws(found, [target]))
    return exit_code(0, [] if out is None else keep(out, "\n".join(written)))


def _known(chosen: tuple[str, ...], known: tuple[str, ...], what: str) -> tuple[str, ...]:
    from bayescore.errors import RequestError, suggest

    for name in chosen:
        if name not in known:
            raise RequestError(f"unknown {what} {name!r}{suggest(name, list(known))} (known: {', '.join(known)})")
    return chosen
