"""Where a program comes from: a function in a person's file, or one that he has in Python already."""

import ast
import importlib.util
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from bayescore.errors import RequestError, StatementError, suggest
from bayescore.printable import shown
from bayescore.system import paths

Function = Callable[..., Any]


class Source(Protocol):
    """How a process comes by a program's function, and by the guide beside it."""

    @property
    def words(self) -> str:
        """As a person names it."""

    @property
    def fingerprint(self) -> str:
        """Another where the program may be another."""

    @property
    def guided(self) -> bool:
        """Whether there is a guide."""

    def load(self) -> tuple[Function, Function | None]:
        """The function and the guide.

        Raises
        ------
        StatementError
            They are not there.
        """


@dataclass(frozen=True)
class InFile:
    """A function of a file, as ``schools.py:model``, with a guide beside it in ``schools.py:model+guide``."""

    path: Path
    function: str
    guide: str = ""

    @property
    def words(self) -> str:
        """As it is written."""
        return f"{self.path.name}:{self.function}" + (f"+{self.guide}" if self.guide else "")

    @property
    def fingerprint(self) -> str:
        """Of the text of its file; what that imports is not looked at."""
        return sha256(self.path.read_bytes()).hexdigest() + self.words

    @property
    def guided(self) -> bool:
        """Whether one is named."""
        return bool(self.guide)

    def load(self) -> tuple[Function, Function | None]:
        """Of the file, which is run."""
        module = run(self.path)
        return self._of(module, self.function), self._of(module, self.guide) if self.guide else None

    def _of(self, module: Any, name: str) -> Function:
        found = getattr(module, name, None)
        if not callable(found):
            known = [n for n, value in vars(module).items() if callable(value) and not n.startswith("_")]
            what = f"no function {name!r}" if found is None else f"{name!r}, which can't be called"
            raise StatementError(f"{str(self.path)!r} has {what}{suggest(name, known)}")
        return found  # type: ignore[no-any-return]

    def check(self) -> None:
        """Refuse what can be seen to be wrong without running it.

        Raises
        ------
        RequestError
            The file is not there, is no Python, or defines no such name.
        """
        if not paths.is_file(self.path):
            raise RequestError(f"no file {str(self.path)!r}: a program is written as pyro=FILE.py:FUNCTION")
        try:
            tree = ast.parse(self.path.read_bytes(), str(self.path))
        except (SyntaxError, ValueError, RecursionError) as error:
            raise RequestError(f"{str(self.path)!r} is no Python: {error}") from error
        names = set(_names(tree))
        for name in filter(None, (self.function, self.guide)):
            if names and name not in names:
                known = sorted(n for n in names if not n.startswith("_"))
                raise RequestError(f"{str(self.path)!r} has no function {name!r}{suggest(name, known)}")


def run(path: Path) -> Any:
    """Run a person's file as a module of its own, which finds what lies beside it."""
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # what it defines can be pickled
    spec.loader.exec_module(module)
    return module


def _names(tree: ast.Module) -> list[str]:
    """What a file's own lines define; nothing where that can't be told, as with ``import *``."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    return [] if "*" in found else found


@dataclass(frozen=True)
class InPython:
    """A function that is there; it travels to a process as bytes, whatever it closes over with it."""

    content: bytes
    words: str
    guided: bool = False

    @classmethod
    def of(cls, function: Function, guide: Function | None = None) -> "InPython":
        """Take a function up.

        Raises
        ------
        RequestError
            It is none, or can't be handed to a process.
        """
        from bayescore.programs.transport import pickled

        for given in (function, *([] if guide is None else [guide])):
            if not callable(given):
                raise RequestError(f"a program is a function, not {shown(given)}")
        name = getattr(function, "__qualname__", type(function).__name__)
        try:
            content, lost = pickled((function, guide))
        except Exception as error:  # whatever it closes over can't be pickled in a way of its own
            raise RequestError(f"{name} can't be handed to a process: {' '.join(str(error).split())}") from error
        if lost:
            raise RequestError(
                f"{lost} can't be handed to a process: it loses parts of itself on the way; give a class instead, "
                "or write FILE.py:FUNCTION+GUIDE"
            )
        return cls(content, name, guide is not None)

    @property
    def fingerprint(self) -> str:
        """Of its bytes."""
        return sha256(self.content).hexdigest()

    def load(self) -> tuple[Function, Function | None]:
        """The functions again."""
        found: tuple[Function, Function | None] = pickle.loads(self.content)
        return found


@dataclass(frozen=True)
class Here:
    """A function that is used in this process."""

    function: Function
    guide: Function | None = None

    @property
    def words(self) -> str:
        """Its name."""
        return str(getattr(self.function, "__qualname__", type(self.function).__name__))

    @property
    def fingerprint(self) -> str:
        """None: nothing of it is kept."""
        return ""

    @property
    def guided(self) -> bool:
        """Whether there is one."""
        return self.guide is not None

    def load(self) -> tuple[Function, Function | None]:
        """It is there."""
        return self.function, self.guide


def read(text: str) -> tuple[str, InFile]:
    """The backend and the file of ``pyro=schools.py:model+guide``.

    Raises
    ------
    RequestError
        It is not written so.
    """
    backend, equals, rest = text.partition("=")
    path, colon, names = rest.rpartition(":")
    function, _, guide = names.partition("+")
    good = equals and colon and backend.isidentifier() and function.isidentifier()
    if not good or (guide and not guide.isidentifier()):
        raise RequestError(f"a program is written as BACKEND=FILE.py:FUNCTION, as pyro=schools.py:model, not {text!r}")
    found = InFile(Path(path).resolve(), function, guide)
    found.check()
    return backend, found
