"""The pictures of the documentation, kept in ``docs/pictures``: ``python tests/keep_pictures.py`` draws them anew.

They are those of one command, the one on the tutorial's page, in at most 24 colours each.
"""

import io
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import ROOT

KEPT = ROOT / "docs" / "pictures"
PAGE = ROOT / "docs" / "tutorial.md"
NAMES = ("forest", "differences", "svi", "predictions")


def command() -> list[str]:
    """As the page has it."""
    (line,) = re.findall(r"^bayescore (compare .* --plots pictures)$", PAGE.read_text(), re.MULTILINE)
    return shlex.split(line)


def smaller(png: bytes) -> bytes:
    """The same picture with a palette."""
    from PIL import Image

    stream = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(24, dither=Image.Dither.NONE).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def main() -> None:
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "bayescore", *command(), "--quiet"], cwd=folder, check=False)
        for name in NAMES:
            (KEPT / f"tutorial-{name}.png").write_bytes(
                smaller((Path(folder) / "pictures" / f"{name}.png").read_bytes())
            )


if __name__ == "__main__":
    main()
