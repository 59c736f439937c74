"""What all tests share: the backends that are installed, the reference data, the caches.

``BAYESCORE_REQUIRE=exact,pyro,numpyro`` makes a backend that is not installed a failure.
``BAYESCORE_REFERENCE`` names the folder of the reference posteriors. Whatever is left out is
named at the end of the run.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bayescore"
os.environ.setdefault("BAYESCORE_CACHE", str(CACHE))
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(os.environ["BAYESCORE_CACHE"]) / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import msgspec  # noqa: E402
import pytest  # noqa: E402

from bayescore.comparison import run  # noqa: E402
from bayescore.plugins import loading  # noqa: E402
from bayescore.report.document import Document  # noqa: E402

EXPECTED = ("exact", "pyro", "numpyro")
REFERENCE = "BAYESCORE_REFERENCE"
REQUIRE = "BAYESCORE_REQUIRE"


def _state() -> tuple[list[str], dict[str, str]]:
    """Names of the backends that can be used, and why the others can't."""
    registry = loading.load()
    absent = {broken.names[-1]: f"broken: {broken.reason}" for broken in registry.broken}
    for name, registered in registry.backends.items():
        if registered.missing:
            absent[name] = f"needs {' and '.join(registered.missing)}"
    usable = [name for name in registry.backends if name not in absent]
    for name in EXPECTED:
        if name not in usable:
            absent.setdefault(name, "not installed")
    return usable, absent


USABLE, ABSENT = _state()


def pytest_configure(config: pytest.Config) -> None:
    required = [name.strip() for name in os.environ.get(REQUIRE, "").split(",") if name.strip()]
    wanting = [f"{name} ({ABSENT.get(name, 'not installed')})" for name in required if name not in USABLE]
    if wanting:
        raise pytest.UsageError(f"{REQUIRE} asks for backends that can't be used: {', '.join(wanting)}")
    folder = os.environ.get(REFERENCE)
    if folder and not (Path(folder) / "references.json").is_file():
        raise pytest.UsageError(f"{REFERENCE}={folder} has no references.json")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = [f"backend {name}: {why}" for name, why in ABSENT.items()]
    if not os.environ.get(REFERENCE):
        left_out.append(f"reference posteriors: {REFERENCE} names no folder")
    if left_out:
        terminalreporter.section("left out")
        for line in left_out:
            terminalreporter.write_line(line)


def alive(process: int) -> bool:
    """Whether a process runs, by Linux's /proc; elsewhere none is found."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def of_its_types(document: Any) -> Any:
    """The same document, once it is found to have what `bayescore.report.document` says, and nothing else."""
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == msgspec.json.decode(text, type=Document), "a key that the types don't know"
    return document


@pytest.fixture(autouse=True, scope="session")
def _documents() -> Iterator[None]:
    """Whatever document is made in this process is held against its types."""
    with pytest.MonkeyPatch.context() as patch:
        write = run.document
        patch.setattr(run, "document", lambda *parts, **named: of_its_types(write(*parts, **named)))
        yield


@pytest.fixture(params=USABLE)
def backends(request: pytest.FixtureRequest) -> str:
    """The name of each backend that can be used, one after the other."""
    return str(request.param)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of the reference posteriors."""
    folder = os.environ.get(REFERENCE)
    if not folder:
        pytest.skip(f"{REFERENCE} names no folder")
    return Path(folder)


@pytest.fixture
def only_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plugin but the core's."""
    monkeypatch.setenv(loading.RESTRICT, "")


def put_on_path(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Put a distribution of ``tests/plugins`` on the path, here and in workers, and leave out all others."""
    folder = str(ROOT / "tests" / "plugins" / name)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", folder)
    monkeypatch.setenv(loading.RESTRICT, name)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A job in the background inherits that Ctrl-C is ignored, and hands it on; a handler is not inherited."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`put_on_path` for one test."""
    return lambda name: put_on_path(monkeypatch, name)
