"""A folder that keeps a comparison: every fit as soon as it is there, the problem, the report."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bayescore.comparison import provenance, stored
from bayescore.comparison.contender import Contender
from bayescore.comparison.folder import Folder
from bayescore.comparison.outcome import Outcome
from bayescore.comparison.subject import Subject
from bayescore.errors import BayescoreError, DataError, KeepingError, RequestError, in_one_line
from bayescore.inference_data import decode, encode
from bayescore.plugins.registry import Registered
from bayescore.printable import lines, printable
from bayescore.report.document import SCHEMA, Document
from bayescore.system import paths

if TYPE_CHECKING:
    from bayescore.settings import Settings

DOCUMENT = "comparison.json"
PROBLEM = "problem.toml"
LOG = "log.txt"


class Archive:
    """A comparison's folder; whoever makes one closes it, or uses it in a ``with``.

    Parameters
    ----------
    folder
        Made if it is not there.
    contenders
        Whose files must not take the place of somebody else's: looked at before anything is removed.
    force
        Remove what an earlier comparison wrote into it.
    resume
        Take up the fits that are there, where everything that they depend on is the same.

    Attributes
    ----------
    remarks
        Sentences about fits that were there and are made again.

    Raises
    ------
    RequestError
        The folder is somebody else's or in use, it is there and neither was asked for, or it can't be written.
    """

    def __init__(
        self,
        folder: str | Path,
        subject: Subject,
        settings: "Settings",
        contenders: Sequence[Contender] = (),
        *,
        force: bool = False,
        resume: bool = False,
    ) -> None:
        self.remarks: list[str] = []
        self._subject = subject
        self._fingerprint = provenance.of_problem(subject, settings)
        self._depends: dict[str, dict[str, str]] = {}
        self._unkept: dict[str, list[str]] = {}
        self._folder = Folder(Path(folder), force=force, resume=resume)
        try:
            for name in (DOCUMENT, PROBLEM, LOG, *(self.path(contender).name for contender in contenders)):
                self._folder.claim(name)
            if force:
                self._folder.clear()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write into the folder."""
        self._folder.close()

    @property
    def unkept(self) -> list[str]:
        """What could not be kept and why, in one sentence, or nothing."""
        if not self._unkept:
            return []
        parts = [f"{', '.join(dict.fromkeys(names))} ({why})" for why, names in self._unkept.items()]
        return [f"can't keep in {str(self._folder.path)!r}: {'; '.join(parts)}"]

    @property
    def log(self) -> Path:
        """Where whatever a contender said is kept."""
        return self._folder.path / LOG

    def path(self, contender: Contender) -> Path:
        """The file of a contender's posterior."""
        return self._folder.path / f"{contender.file_name}.nc"

    def begin(self, problem_file: str) -> None:
        """Write the problem as a file that runs it again."""
        with self._kept(PROBLEM):
            self._folder.write(PROBLEM, problem_file)

    def stored(self, contender: Contender, registered: Registered) -> Outcome | None:
        """A contender's fit that is there already, and that the same code would make again.

        Raises
        ------
        RequestError
            Its file would take the place of somebody else's.
        """
        name = self.path(contender).name
        self._folder.claim(name)
        depends = provenance.of_fit(contender, registered, self._fingerprint)
        self._depends[contender.name] = depends
        if not self.path(contender).exists():
            return None
        content = self._folder.read(name)
        try:
            if content is None:
                raise DataError(f"{name} is not as it was written")
            return stored.from_tree(contender, registered, self._subject, decode(content), depends)
        except BayescoreError as error:
            why = str(error)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            why = f"{name} is not as it is written by this version: {in_one_line(error)}"
        self._remark(f"{contender.name}: fitted again: {why}")
        return None

    def keep(self, outcome: Outcome, log: str) -> None:
        """Store an outcome, then its log, so that a fit that the log tells of is there; what can't be is `unkept`."""
        if outcome.posterior is not None:
            path = self.path(outcome.contender)
            with self._kept(path.name):
                tree = stored.to_tree(outcome, self._depends.get(outcome.contender.name, {}))
                self._folder.write(path.name, encode(tree, path))
        with self._kept(LOG):
            head = printable(f"== {outcome.contender.name}: {outcome.status} {outcome.error or ''}")
            self._folder.append(LOG, f"{head}\n{lines(log)}\n")

    def finish(self, document: Document) -> None:
        """Write the report."""
        with self._kept(DOCUMENT):
            self._folder.write(DOCUMENT, json.dumps(document, indent=1) + "\n")

    def _remark(self, sentence: str) -> None:
        self.remarks.append(sentence)
        with self._kept(LOG):
            self._folder.append(LOG, f"{printable(sentence)}\n")

    @contextmanager
    def _kept(self, name: str) -> Iterator[None]:
        """Take down that a file can't be written, and why, and go on."""
        try:
            yield
        except KeepingError as error:
            self._unkept.setdefault(error.reason, []).append(name)


def read_document(folder: Path) -> Document:
    """Read a stored comparison's document.

    Raises
    ------
    RequestError
        There is none, it can't be read, or it is of another schema.
    """
    path = folder / DOCUMENT if paths.is_folder(folder) else folder
    if not paths.is_file(path):
        raise RequestError(f"no comparison in {str(folder)!r}: a folder written by --out has a {DOCUMENT}")
    try:
        document: Document = json.loads(path.read_text(encoding="utf-8"))
        schema = document["schema"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError(f"{str(path)!r} is no comparison: {error}") from error
    if schema != SCHEMA:
        raise RequestError(f"{str(path)!r} has schema {schema!r}; this version reads {SCHEMA!r}")
    return document
