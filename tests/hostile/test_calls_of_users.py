"""Whatever is handed to a public function, nothing but an error of this project comes out."""

import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescore
from bayescore import methods
from bayescore.comparison.run import compare
from bayescore.errors import BayescoreError, RequestError, UnsupportedError
from bayescore.methods import NUTS, SVI, Exact
from bayescore.model import distributions, families
from bayescore.model.distributions import Normal
from bayescore.model.families import Gaussian
from bayescore.notation import Call
from bayescore.settings import Settings
from bayescore.tables.problem import from_data, from_table, toy

pytestmark = pytest.mark.usefixtures("only_core")


class Nasty:
    """An object that answers nothing."""

    def __repr__(self):
        raise RuntimeError("no picture of me")

    def __eq__(self, other):
        raise RuntimeError("not comparable")

    __hash__ = None


JUNK = {
    "None": None, "True": True, "3": 3, "-1": -1, "half": 0.5, "nan": math.nan, "inf": math.inf,
    "10**400": 10**400, "10**5000": 10**5000, "complex": 1j,
    "empty": "", "text": "nonsense", "null": "a\0b", "bytes": b"x", "lines": "a\n~ b",
    "list": [], "list of None": [None], "tuple": (1, 2), "dict": {}, "dict of": {"beta": None}, "set": {1},
    "object": object(), "nasty": Nasty(), "function": print, "class": int, "module": math, "path": Path("nowhere"),
    "array": np.zeros((2, 2, 2)), "objects": np.array([None, "x"]), "frame": pd.DataFrame({"a": [1, 2]}),
    "generator": (i for i in "x"), "call": Call("nuts"), "method": NUTS(), "family": Gaussian(), "prior": Normal(0, 1),
}  # fmt: skip
TABLE = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 3.5]})
PROBLEM = from_table("y ~ x", TABLE, priors={"sigma": "HalfNormal(1)"})
DATA = PROBLEM.data
BACKEND = bayescore.get_backend("exact")
STATED = toy(5)
NATIVE = BACKEND.build_data(STATED.regression, STATED.data)
FIT = BACKEND.fit(STATED.regression, NATIVE, Exact(10), seed=0)
POSTERIOR = BACKEND.sample_posterior(FIT, seed=0)

CALLS = {
    "toy": (toy, {"n": 5, "p": 1, "noise_sd": 0.1, "seed": 0, "sigma": 0.1}),
    "toy_data": (bayescore.toy_data, {"n": 5, "p": 1, "noise_sd": 0.1, "seed": 0}),
    "from_arrays": (bayescore.from_arrays, {"x": [1.0, 2.0], "y": [1.0, 2.0], "columns": ["a"], "response": "y"}),
    "from_table": (from_table, {
        "formula": "y ~ x", "table": TABLE, "family": "gaussian", "priors": {}, "weights": None, "network": (),
        "new_table": TABLE, "drop_missing": False, "source": "here",
    }),
    "from_data": (from_data, {
        "data": DATA, "family": "gaussian", "priors": {}, "intercept": True, "groupings": (), "network": (),
        "new_data": DATA, "source": "here", "formula": None, "notes": (),
    }),
    "settings": (Settings, dict(vars(Settings()))),
    "compare": (compare, {"problem": PROBLEM, "contenders": "nonsense", "settings": None}),
    "get_backend": (bayescore.get_backend, {"name": "exact", "precision": "float64"}),
    "from_arviz": (bayescore.from_arviz, {"data": None}),
    "load": (bayescore.load, {"path": Path("nowhere.nc")}),
    "save": (bayescore.save, {"posterior": None, "path": Path("nowhere/x.nc")}),
    "to_datatree": (bayescore.to_datatree, {"posterior": POSTERIOR}),
    "method": (methods.parse, {"text": "nuts"}),
    "family": (families.parse, {"text": "gaussian"}),
    "prior": (distributions.parse, {"text": "Normal(0, 1)"}),
    "build_data": (BACKEND.build_data, {"regression": STATED.regression, "data": STATED.data}),
    "fit": (BACKEND.fit, {"regression": STATED.regression, "data": NATIVE, "method": Exact(10), "seed": 0}),
    "sample": (BACKEND.sample_posterior, {"fit": FIT, "seed": 0}),
    "predict": (BACKEND.predict, {
        "fit": FIT, "posterior": POSTERIOR, "new_data": STATED.new_data, "kind": "mean", "seed": 0,
    }),
    **{cls.__name__: (cls, dict(vars(cls()))) for cls in methods.METHODS.values()},
    **{f"family {name}": (cls, dict(vars(cls()))) for name, cls in families.FAMILIES.items()},
    **{f"prior {name}": (cls, dict.fromkeys((f.name for f in fields(cls)), 0.5))
       for name, cls in distributions.DISTRIBUTIONS.items()},
}  # fmt: skip
OPAQUE = {("fit", "data")}  # a backend's own objects, which only it knows


@pytest.mark.parametrize("name", CALLS)
def test_junk_ends_in_the_project_s_own_error_or_is_taken(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, sound = CALLS[name]
    for argument in sound:
        if (name, argument) in OPAQUE:
            continue
        for junk, value in JUNK.items():
            try:
                function(**sound | {argument: value})
            except BayescoreError as error:
                assert "\n" not in str(error), (argument, junk)
                assert len(str(error)) < 2000, (argument, junk)
            except Exception as error:
                raise AssertionError(f"{name}({argument}={junk}) raises {error!r}") from error


def test_what_a_user_plainly_means_is_taken():
    assert compare(PROBLEM, "exact").outcomes[0].contender.name == "exact"
    assert compare(PROBLEM, ("exact",), Settings(method="exact")).outcomes[0].status == "ok"
    assert Settings(method="nuts") == Settings(method=NUTS())
    assert Settings(method=SVI).method == SVI()
    assert Settings(seed=np.int64(3), margin=np.float64(0.1)) == Settings(seed=3)
    fit = BACKEND.fit(STATED.regression, NATIVE, "exact(draws=10)", seed=np.int64(0))
    assert fit.method == Exact(10)
    assert from_table("y ~ x", TABLE, family=Gaussian).regression.family == Gaussian()


def test_what_can_t_be_meant_is_told_with_what_to_write():
    with pytest.raises(RequestError, match=r"compare\(from_table\('y ~ x', table\), \['pyro', 'exact'\]\)"):
        compare(TABLE, ["exact"])
    with pytest.raises(RequestError, match=r"settings are written as Settings\(margin=0.1"):
        compare("y ~ x", TABLE, ["exact"])
    with pytest.raises(RequestError, match=r"settings are written as Settings\(margin=0.1"):
        compare(PROBLEM, ["exact"], {"margin": 0.2})
    with pytest.raises(RequestError, match=r"predict takes rows of a Data, as from_table"):
        BACKEND.predict(FIT, POSTERIOR, TABLE, seed=0)
    with pytest.raises(RequestError, match="a backend takes a Regression"):
        BACKEND.fit(STATED, NATIVE, "exact", seed=0)
    with pytest.raises(UnsupportedError, match=r"^exact draws independently; use the method exact$"):
        BACKEND.fit(STATED.regression, NATIVE, "nuts", seed=0)
