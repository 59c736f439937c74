"""Compare inference backends on one Bayesian regression: the same as ``bayescore compare``."""

import sys

HOW_TO_INSTALL = "run 'make setup', or pip install -c constraints.txt -e . -e backends/pyro -e backends/numpyro"

if __name__ == "__main__":
    try:
        from bayescore.cli import main
        from bayescore.plugins.loading import installed
    except ImportError as error:
        sys.exit(print(f"bayescore: {error}: {HOW_TO_INSTALL}", file=sys.stderr) or 2)
    if not installed():
        sys.exit(print(f"bayescore: no backend is installed: {HOW_TO_INSTALL}", file=sys.stderr) or 2)
    sys.exit(main(["compare", *sys.argv[1:]]))
