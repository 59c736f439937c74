"""``bayescore explain CODE``: what a reason code means."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="a reason code; without one, all are listed")


def run(options: argparse.Namespace) -> int:
    """Print one explanation, or the list of codes."""
    from bayescore.agreement.explanations import EXPLANATIONS
    from bayescore.errors import RequestError, suggest

    if options.code is None:
        for code, explanation in EXPLANATIONS.items():
            print(f"{code:20s} {explanation.meaning.split('. ')[0].rstrip('.')}.")
        return 0
    if options.code not in EXPLANATIONS:
        hint = suggest(options.code, list(EXPLANATIONS))
        raise RequestError(f"unknown reason code {options.code!r}{hint} (codes: {', '.join(EXPLANATIONS)})")
    explanation = EXPLANATIONS[options.code]
    print(f"{options.code}\n\n{explanation.meaning}\n")
    print(f"How it is found: {explanation.found}\n\nWhat to do: {explanation.remedy}")
    return 0
