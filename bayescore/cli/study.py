"""``bayescore study``: measure the rule itself."""

import argparse
import os
from pathlib import Path

_MOST = 10**6
_PARTS = ("density", "draws", "refits")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("--parts", nargs="+", default=list(_PARTS), metavar="PART", help="density, draws, refits (default: all)")
    add("--targets", nargs="+", metavar="TARGET", help="toy, skewed, twenty, correlated, funnel, heavy (default: all)")
    add("--faults", nargs="+", default=[], metavar="FAULT", help='of draws, as none, "slope skewed" (default: all)')
    add("--engine", default="numpyro", help="the backend that is drawn from (default: numpyro)")
    add("--repetitions", type=int, default=300, metavar="N", help="for faults of density and of draws (default: 300)")
    add("--refits", type=int, default=50, metavar="N", help="for faults that are fitted anew (default: 50)")
    add("--seed", type=int, default=0)
    add("--jobs", type=int, metavar="N", help="processes at a time (default: one a core)")
    add("--out", type=Path, metavar="FILE", help="write the tables there, too")


def run(options: argparse.Namespace) -> int:
    """Measure and print, part by part."""
    from bayescore.cli.keeping import exit_code, keep
    from bayescore.comparison.runner import export_environment
    from bayescore.comparison.settings import SEEDS
    from bayescore.errors import RequestError
    from bayescore.plugins import loading
    from bayescore.study import measure, tables
    from bayescore.study.faults import DRAW_FAULTS
    from bayescore.study.targets import NAMES
    from bayescore.system import writing

    if options.out is not None:
        writing.check(options.out)
    targets = _known(options.targets or list(NAMES), NAMES, "target")
    parts = _known(options.parts, _PARTS, "part")
    _within(options, repetitions=_MOST, refits=_MOST, jobs=1000)
    if not 0 <= options.seed < SEEDS:
        raise RequestError(f"--seed must be at least 0 and under 2**63, not {options.seed}")
    export_environment(loading.load()[options.engine].info)
    jobs = options.jobs or os.cpu_count() or 1
    settings = measure.Settings(
        options.engine,
        repetitions=options.repetitions,
        refits=options.refits,
        faults=tuple(_known(options.faults, tuple(fault.name for fault in DRAW_FAULTS), "fault")),
        seed=options.seed,
        jobs=jobs,
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
    return exit_code(0, [] if options.out is None else keep(options.out, "\n".join(written)))


def _known(chosen: list[str], known: tuple[str, ...], what: str) -> list[str]:
    from bayescore.errors import RequestError, suggest

    for name in chosen:
        if name not in known:
            raise RequestError(f"unknown {what} {name!r}{suggest(name, list(known))} (known: {', '.join(known)})")
    return chosen


def _within(options: argparse.Namespace, **most: int) -> None:
    from bayescore.errors import RequestError

    for name, limit in most.items():
        value = getattr(options, name)
        if value is not None and not 1 <= value <= limit:
            raise RequestError(f"--{name} must be at least 1 and at most {limit}, not {value}")
