"""Pictures and the page of a comparison, written to where they are asked for."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bayescore.cli import keeping, say
from bayescore.errors import KeepingError, RequestError, in_one_line
from bayescore.system import paths, writing

if TYPE_CHECKING:
    from bayescore.pictures.listed import Sheet
    from bayescore.pictures.material import Material


def check_library(flag: str) -> None:
    """Refuse a flag that asks for pictures where there is no matplotlib.

    Raises
    ------
    RequestError
        It is not installed.
    """
    from bayescore.pictures import library

    if not library.installed():
        raise RequestError(f"{flag} needs {library.NEEDED}")


def check_folder(folder: Path) -> None:
    """Refuse a folder of pictures that can't be written, or pictures that can't be drawn, before any work.

    Raises
    ------
    RequestError
        It says why.
    """
    check_library("--plots")
    there = Path(os.path.realpath(folder))
    while not there.exists() and there != there.parent:
        there = there.parent
    if not paths.is_folder(there) or not os.access(there, os.W_OK | os.X_OK):
        raise RequestError(f"can't write pictures to {str(folder)!r}: name a folder that can be made or written")


def keep(
    material: "Material", problem_file: str | None, plots: str | None, page: str | None, *, quiet: bool = False
) -> list[str]:
    """Draw and write what is asked for; sentences say what could not be written, and why.

    Parameters
    ----------
    problem_file
        What runs it again; None where nobody knows.
    plots, page
        A folder and a file.
    """
    from bayescore.pictures import library
    from bayescore.pictures.listed import every

    sheets = list(every(material)) if library.installed() else []
    unkept = [f"the picture {sheet.name} can't be drawn: {sheet.fault}" for sheet in sheets if sheet.fault]
    if plots is not None:
        unkept += _keep_pictures(Path(plots), sheets, quiet=quiet)
    if page is not None:
        from bayescore.report.page import render

        try:
            text = render(material.document, [sheet.shown for sheet in sheets if sheet.png], problem_file)
        except Exception as error:  # the comparison is not lost by that
            return [*unkept, f"the page can't be made: {in_one_line(error)}"]
        unkept += keeping.keep(Path(page), text)
    return unkept


def _keep_pictures(folder: Path, sheets: "list[Sheet]", *, quiet: bool) -> list[str]:
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sheet in sheets:
            if sheet.png:
                writing.write(folder / f"{sheet.name}.png", sheet.png)
                written.append(sheet.name)
    except KeepingError as error:
        return [str(error)]
    except OSError as error:
        return [f"can't write pictures to {str(folder)!r}: {writing.reason(error)}"]
    if not quiet:
        none = [f"{sheet.name} ({sheet.nothing})" for sheet in sheets if sheet.nothing]
        left_out = f"; nothing to draw for {', '.join(none)}" if none else ""
        say(f"pictures in {str(folder)!r}: {', '.join(written) or 'none'}{left_out}")
    return []
