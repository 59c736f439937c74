"""``bayescore programs``: are programs of one's own the same model?"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from bayescore.cli import flags
from bayescore.cli import output as output_of
from bayescore.cli.output import Output
from bayescore.options import Option, Options
from bayescore.settings import Settings

_EPILOG = """\
The first program is what the others are held against: site by site and row by row, at points drawn from all priors,
and after the fits from all posteriors; then the draws are compared.

exit codes: 0 agree, 1 disagree, 2 the request is wrong (nothing is written), 3 inconclusive, 4 a program could not be
run, 70 a fault of bayescore's own, 73 the result could not be written to DIR or FILE (unless it is 1), 130 stopped by
Ctrl-C.

examples:
  bayescore programs pyro=schools.py:model numpyro=port.py:model --data schools.json
  bayescore programs pyro=old.py:model pyro=new.py:model --data d.json --model-only
"""
_SETTINGS = ("method", "margin", "alpha", "seed", "precision", "timeout", "smoke", "model_only", "cores", "settle")


@dataclass(frozen=True)
class Ported(Options):
    """Programs that should be one model."""

    programs: Annotated[tuple[str, ...], Option("as pyro=FILE.py:FUNCTION", "PROGRAM")] = ()
    data: Annotated[
        str | None, Option("their arguments: FILE.json, FILE.npz, FILE.csv or FILE.py:FUNCTION", "FILE", path=True)
    ] = None
    rename: Annotated[tuple[str, ...], Option("a site that one program calls otherwise, as b=beta", "OLD=NEW")] = ()
    transpose: Annotated[tuple[str, ...], Option("sites that all but the first have transposed", "SITE")] = ()
    judge: Annotated[
        tuple[str, ...], Option("sites whose posterior is compared", "SITE", default="all that every program samples")
    ] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "programs",
        nargs="*",
        metavar="PROGRAM",
        default=argparse.SUPPRESS,
        help="BACKEND=FILE.py:FUNCTION, with a guide of its own FILE.py:FUNCTION+GUIDE; or one PROBLEM.toml",
    )
    flags.add(parser.add_argument_group("programs"), Ported, "data", "rename", "transpose", "judge")
    flags.add(parser.add_argument_group("settings"), Settings, *_SETTINGS)
    flags.add(parser.add_argument_group("result"), Output)


def run(options: argparse.Namespace) -> int:
    """Compare the programs, report it, and keep it."""
    from bayescore.cli import request
    from bayescore.errors import RequestError
    from bayescore.porting import compare_subject, contenders_of
    from bayescore.programs import data, naming, source
    from bayescore.programs.subject import Programs, stated

    output = Output(**flags.given(options, Output))
    given = flags.given(options, Ported, Settings)
    empty = request.Request(parts={"programs": Ported, "settings": Settings}, command="programs")
    named = given.get("programs") or []
    if len(named) == 1 and named[0].endswith(".toml"):
        given.pop("programs")
        empty = request.read(Path(named[0]), empty)
    asked = empty.over(given)
    ported, settings = Ported(**asked.of(Ported)), asked.settings
    if not ported.programs:
        raise RequestError("no program: name two, as pyro=old.py:model numpyro=new.py:model")
    if ported.data is None:
        raise RequestError("no data: name them, as --data schools.json; for programs without arguments a JSON of {}")
    sources = [source.read(text) for text in ported.programs]
    output.check([*(found.path for _, found in sources), *asked.files])
    arguments, renamed = data.read(ported.data), naming.pairs(ported.rename)
    subject = Programs(
        stated(sources), arguments, ported.data, renamed, frozenset(ported.transpose), ported.judge, settings.seed
    )
    contenders = contenders_of(subject, settings)
    whole = [f"{backend}={found.path.parent / found.words}" for backend, found in sources]
    return output_of.run(
        output,
        subject,
        settings,
        contenders,
        asked.over({"programs": whole}).write(),
        lambda watch, archive: compare_subject(subject, settings, watch=watch, archive=archive),
    )
