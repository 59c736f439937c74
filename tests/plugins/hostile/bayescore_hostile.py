"""Backends that do something to the process they run in, which is their name."""

import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

from bayescore.backend import Backend, BackendInfo, Fit, hookimpl

SIGN = "HOSTILE_SIGN"
"""The variable that names a file in which a descendant puts its number."""
_LONG = 1000.0
_PATIENCE = 5.0


class _Deed(Backend):
    """Does its deed in ``fit``, and fails quickly after."""

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=None):
        self.do(Path(sys.argv[1]))
        return Fit(regression, method, None)

    def do(self, folder):
        raise NotImplementedError

    def sample_posterior(self, fit, *, seed):
        raise RuntimeError("it got this far")


class Forks(_Deed):
    """A child that holds every descriptor."""

    def do(self, folder):
        if os.fork() == 0:
            _sign()
            time.sleep(_LONG)
        _await_sign()


class ForksAndHangs(Forks):
    def do(self, folder):
        super().do(folder)
        time.sleep(_LONG)


class Escapes(_Deed):
    """A grandchild in a session of its own, which its parent does not wait for."""

    def do(self, folder):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                _sign()
                time.sleep(_LONG)
            os._exit(0)
        _await_sign()


class Spawns(_Deed):
    """Another program in a session of its own."""

    def do(self, folder):
        code = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(1000)"
        subprocess.Popen([sys.executable, "-c", code, os.environ[SIGN]], start_new_session=True)
        _await_sign()


class Asks(_Deed):
    def do(self, folder):
        input("Continue? ")


class RemovesItsFolder(_Deed):
    def do(self, folder):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


class LeavesGarbage(_Deed):
    def do(self, folder):
        (folder / "outcome.pickle").write_bytes(b"\x80\x05garbage")
        os._exit(0)


class LeavesAnotherThing(_Deed):
    def do(self, folder):
        (folder / "outcome.pickle").write_bytes(pickle.dumps({"status": "ok"}))
        os._exit(0)


class LeavesATrap(_Deed):
    """A result that ends whoever reads it."""

    def do(self, folder):
        class Trap:
            def __reduce__(self):
                return os._exit, (0,)

        (folder / "outcome.pickle").write_bytes(pickle.dumps(Trap()))
        os._exit(0)


class Babbles(_Deed):
    """Lines that are no messages, on every descriptor it finds."""

    def do(self, folder):
        for descriptor in range(3, 20):
            try:
                os.write(descriptor, b'[1]\nnull\n{"step": "x"}\n{"step": 1, "total": 0}\n\xff\xfe\n')
            except OSError:
                continue


class _Shares(_Deed):
    """Two that tell on which cores they, a thread and another program of theirs may run: together, and left alone."""

    def do(self, folder):
        code = "import time; time.sleep(1000)"
        beside = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        thread = threading.Thread(target=time.sleep, args=(_LONG,), daemon=True)
        thread.start()
        self.family = [os.getpid(), thread.native_id, beside.pid]
        self.tell("here")
        while self.told("here") < 2:
            time.sleep(0.02)
        self.tell(f"together {self.settled(lambda own: True)}")
        while self.told("together") < 2:
            time.sleep(0.02)

    def settled(self, enough):
        """The cores of all three, once they are the same, or after a while all of them."""
        late = time.monotonic() + _PATIENCE
        while True:
            time.sleep(0.2)
            found = {tuple(sorted(os.sched_getaffinity(one))) for one in self.family}
            if (len(found) == 1 and enough(*found)) or time.monotonic() > late:
                return sorted(found)

    def tell(self, text):
        with Path(os.environ[SIGN]).open("a") as file:
            file.write(f"{_name(type(self))} {text}\n")

    def told(self, text):
        return Path(os.environ[SIGN]).read_text().count(f" {text}")


class SharesBriefly(_Shares):
    pass


class SharesAtLength(_Shares):
    def do(self, folder):
        super().do(folder)
        before = os.sched_getaffinity(0)
        self.tell(f"alone {self.settled(lambda own: len(own) > len(before))}")


def _sign():
    with Path(os.environ[SIGN]).open("a") as file:
        file.write(f"{os.getpid()}\n")


def _await_sign():
    while not Path(os.environ[SIGN]).exists():
        time.sleep(0.02)


def _name(cls):
    return "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")


@hookimpl
def bayescore_backends():
    for cls in (
        Forks, ForksAndHangs, Escapes, Spawns, Asks, RemovesItsFolder, LeavesGarbage, LeavesAnotherThing, LeavesATrap,
        Babbles, SharesBriefly, SharesAtLength,
    ):  # fmt: skip
        yield BackendInfo(
            name=_name(cls),
            factory=lambda precision, cls=cls: cls(),
            supports={
                *("family:Gaussian", "link:identity", "prior:coefficient:Normal", "method:nuts", "precision:float64")
            },
            default_method="nuts",
        )
