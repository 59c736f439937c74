"""``bayescore backends``: what is installed, what is broken, and what each can do."""

import argparse
from collections.abc import Iterable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--all", action="store_true", help="list every declaration, and the gaps with their reasons")
    parser.add_argument("--markdown", action="store_true", help="print the documentation's table of what each can do")


def run(options: argparse.Namespace) -> int:
    """Print one row a backend."""
    from bayescore.notation import write
    from bayescore.plugins import loading
    from bayescore.printable import printable

    registry = loading.load()
    if options.markdown:
        from bayescore.report.capabilities import markdown

        print(markdown(registry.backends))
        return 0
    rows: list[tuple[str, ...]] = [("backend", "distribution", "version", "state", "methods")]
    for name, registered in registry.backends.items():
        missing = registered.missing
        state = f"needs {', '.join(missing)}: pip install {registered.origin.distribution}" if missing else "ready"
        methods = ", ".join(_names(registered.info.declared("method")))
        rows.append((name, registered.origin.distribution, registered.origin.version, state, methods))
    rows += [
        (broken.names[-1], broken.origin.distribution, broken.origin.version, f"broken: {broken.reason}", "")
        for broken in registry.broken
    ]
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if options.all:
        for name, registered in registry.backends.items():
            print(f"\n{name}")
            for kind in sorted({word.partition(":")[0] for word in registered.info.declared()}):
                print(printable(f"  {kind}: {', '.join(_names(registered.info.declared(kind)))}"))
            for own in registered.info.methods:
                print(printable(f"  of its own: {write(own.name, own(), defaults=True)}"))
            for gap, sentence in sorted(registered.info.gaps.items()):
                print(printable(f"  without {gap}: {sentence}"))
    return 0


def _names(words: Iterable[str]) -> list[str]:
    """Of what is declared, without its kind."""
    return sorted(word.partition(":")[2] for word in words)
