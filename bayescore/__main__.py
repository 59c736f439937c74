"""``python -m bayescore`` is ``bayescore``."""

import sys

from bayescore.cli import main

if __name__ == "__main__":
    sys.exit(main())
