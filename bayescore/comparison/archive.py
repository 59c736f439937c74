"""A folder that keeps a comparison: every fit as soon as it is there, the problem, the report."""

import json
import re
import shutil
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from bayescore.agreement.model_check import ModelCheck
from bayescore.backend import Precision
from bayescore.comparison.contender import Contender
from bayescore.comparison.document import SCHEMA, Document
from bayescore.comparison.outcome import Outcome, Predictions
from bayescore.data import Data
from bayescore.errors import DataError, RequestError
from bayescore.inference_data import from_arviz, open_tree, to_datatree
from bayescore.printable import lines, printable
from bayescore.problem import Problem

if TYPE_CHECKING:
    import xarray as xr

DOCUMENT = "comparison.json"
PROBLEM = "problem.toml"
LOG = "log.txt"


class Archive:
    """A comparison's folder.

    Parameters
    ----------
    folder
        Made if it is not there.
    force
        Clear an existing folder that holds a comparison.
    resume
        Take up the fits that are there, where they are of the same problem.

    Raises
    ------
    RequestError
        The folder is there and neither was asked for, or it can't be written.
    """

    def __init__(
        self, folder: Path, problem: Problem, seed: int, precision: Precision, *, force: bool, resume: bool
    ) -> None:
        self.folder = folder
        self._resume = resume
        self._key = fingerprint(problem, seed, precision)
        try:
            if folder.exists() and not resume:
                self._clear(force)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / LOG).touch()
        except OSError as error:
            raise RequestError(f"can't write to {str(folder)!r}: {error.strerror or error}") from error

    def _clear(self, force: bool) -> None:
        if not self.folder.is_dir():
            raise RequestError(f"{str(self.folder)!r} is a file; name a folder with --out")
        if not any(self.folder.iterdir()):
            return
        written = {DOCUMENT, PROBLEM, LOG}
        ours = all(p.name in written or p.suffix in {".nc", ".unfinished"} for p in self.folder.iterdir())
        if not force:
            raise RequestError(
                f"the folder {str(self.folder)!r} is there: --force replaces it, --resume goes on with it"
            )
        if not ours:
            raise RequestError(f"{str(self.folder)!r} holds something other than a comparison; it is left alone")
        shutil.rmtree(self.folder)

    def path(self, contender: Contender) -> Path:
        """The file of a contender's posterior."""
        plain = re.sub(r"[^A-Za-z0-9]+", "-", contender.name).strip("-")
        simple = contender.name.replace(":", "-")
        return self.folder / (f"{plain}.nc" if plain == simple else f"{plain}-{crc32(contender.name.encode()):08x}.nc")

    def stored(self, contender: Contender) -> Outcome | None:
        """A fit of this very problem that is there already."""
        path = self.path(contender)
        if not self._resume or not path.exists():
            return None
        try:
            tree = open_tree(path)
        except DataError:
            return None
        if "bayescore" not in tree.children or tree["bayescore"].attrs.get("fingerprint") != self._key:
            return None
        return _read(contender, tree)

    def keep(self, outcome: Outcome, log: str) -> None:
        """Store an outcome and its log."""
        with (self.folder / LOG).open("a") as stream:
            head = printable(f"== {outcome.contender.name}: {outcome.status} {outcome.error or ''}")
            stream.write(f"{head}\n{lines(log)}\n")
        if outcome.posterior is None:
            return
        path = self.path(outcome.contender)
        unfinished = path.with_suffix(".unfinished")
        _write(outcome, self._key).to_netcdf(unfinished, engine="h5netcdf")
        unfinished.rename(path)

    def finish(self, document: Document, problem_file: str) -> None:
        """Write the report and the problem as files."""
        write_text(self.folder / PROBLEM, problem_file)
        write_text(self.folder / DOCUMENT, json.dumps(document, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    RequestError
        The path can't be written.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(path)
    except OSError as error:
        raise RequestError(f"can't write {str(path)!r}: {error.strerror or error}") from error


def read_document(folder: Path) -> Document:
    """Read a stored comparison's document.

    Raises
    ------
    RequestError
        There is none, or it is of another schema.
    """
    path = folder / DOCUMENT if folder.is_dir() else folder
    if not path.is_file():
        raise RequestError(f"no comparison in {str(folder)!r}: a folder written by --out has a {DOCUMENT}")
    try:
        document: Document = json.loads(path.read_text())
        schema = document["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{str(path)!r} is no comparison: {error}") from error
    if schema != SCHEMA:
        raise RequestError(f"{str(path)!r} has schema {schema!r}; this version reads {SCHEMA!r}")
    return document


def fingerprint(problem: Problem, seed: int, precision: Precision) -> str:
    """A hash of all that a fit depends on, the contender aside."""
    digest = sha256(f"{problem.regression!r} {seed} {precision}".encode())
    for data in (problem.data, problem.new_data):
        _feed(digest, data)
    return digest.hexdigest()


def _feed(digest: Any, data: Data) -> None:
    digest.update(repr((data.x.shape, data.columns, data.response, data.categories, list(data.groups))).encode())
    parts = [data.x, data.y, data.offset, data.weights, data.trials, data.ones]
    parts += [part.astype(np.float64) for m in data.groups.values() for part in (m.index, m.value)]
    for part in parts:
        digest.update(b"-" if part is None else np.ascontiguousarray(part))


def _write(outcome: Outcome, key: str) -> "xr.DataTree":
    import xarray as xr

    posterior = outcome.posterior
    assert posterior is not None
    arrays: dict[str, np.ndarray] = {f"iterates_{name}": values for name, values in outcome.iterates.items()}
    if outcome.losses is not None:
        arrays["losses"] = outcome.losses
    if outcome.predictions is not None:
        names = [f.name for f in fields(Predictions) if f.name != "score"]
        arrays |= {f"predictions_{name}": getattr(outcome.predictions, name) for name in names}
    record: dict[str, Any] = {
        "seconds": dict(outcome.seconds),
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "score": {} if outcome.predictions is None else dict(outcome.predictions.score),
        "model": None if outcome.model is None else vars(outcome.model),
    }
    dataset = xr.Dataset({name: (_dims(name, values), values) for name, values in arrays.items()})
    dataset.attrs |= {"fingerprint": key, "contender": outcome.contender.name, "record": json.dumps(record)}
    tree = to_datatree(posterior)
    tree["bayescore"] = xr.DataTree(dataset)
    return tree


def _dims(name: str, values: np.ndarray) -> list[str]:
    return [f"{name}_{axis}" for axis in range(values.ndim)]


def _read(contender: Contender, tree: "xr.DataTree") -> Outcome:
    dataset = tree["bayescore"].to_dataset()
    record: dict[str, Any] = json.loads(dataset.attrs["record"])
    arrays = {str(name): np.asarray(variable.values) for name, variable in dataset.data_vars.items()}

    def part(prefix: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}

    predictions = part("predictions_")
    return Outcome(
        contender,
        "ok",
        seconds=record["seconds"],
        peak_memory_bytes=record["peak_memory_bytes"],
        posterior=from_arviz(tree),
        predictions=Predictions(**predictions, score=record["score"]) if predictions else None,
        losses=arrays.get("losses"),
        iterates=part("iterates_"),
        model=ModelCheck(**record["model"]) if record["model"] else None,
    )
