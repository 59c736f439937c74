"""What pictures of a comparison are drawn from, whether it was made just now or kept in a folder."""

from collections.abc import Sequence
from pathlib import Path

from bayescore.comparison import stored
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.subject import Subject
from bayescore.errors import BayescoreError, in_one_line
from bayescore.inference_data import decode
from bayescore.pictures.material import Fitted, Material
from bayescore.regressions.problem import Problem
from bayescore.report.document import Document


def of_outcomes(document: Document, outcomes: Sequence[Outcome], subject: Subject | None) -> Material:
    """What a comparison has found."""
    fits = {outcome.contender.name: outcome for outcome in outcomes if outcome.posterior is not None}
    return Material(document, fits, subject if isinstance(subject, Problem) else None)


def of_folder(document: Document, folder: Path, subject: Subject | None) -> tuple[Material, list[str]]:
    """What a folder has kept, and sentences about fits in it that can't be read."""
    fits: dict[str, Fitted] = {}
    remarks = []
    for path in sorted(folder.glob("*.nc")):
        try:
            name, fit = stored.fitted(decode(path.read_bytes()))
        except (BayescoreError, OSError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            remarks.append(f"the fit in {str(path)!r} can't be read, and is in no picture: {in_one_line(error)}")
            continue
        if any(entry["name"] == name for entry in document["contenders"]):
            fits[name] = fit
    in_order = {entry["name"]: fits[entry["name"]] for entry in document["contenders"] if entry["name"] in fits}
    return Material(document, in_order, subject if isinstance(subject, Problem) else None), remarks
