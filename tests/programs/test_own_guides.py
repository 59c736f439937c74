"""Guides of one's own in both libraries: against the exact posterior, each other, and guides that are wrong."""

import numpy as np
import pytest
from conftest import USABLE

import bayescore as bc
from bayescore.settings import Settings

pytestmark = pytest.mark.skipif(not {"pyro", "numpyro"} <= set(USABLE), reason="needs pyro and numpyro")
PYRO = """
import pyro
import pyro.distributions as dist
from torch.distributions.constraints import positive
from torch import tensor


def model(y):
    m = pyro.sample("m", dist.Normal(0.0, 3.0))
    with pyro.plate("rows", len(y)):
        pyro.sample("y", dist.Normal(m, 1.0), obs=y)


def right(y, law=dist.Normal):
    scale = pyro.param("scale", tensor(0.5), constraint=positive)
    pyro.sample("m", law(pyro.param("loc", tensor(0.0)), scale))
"""
WRONG = """

def narrow(y):
    numpyro.sample("m", dist.Normal(numpyro.param("loc", 0.0), SD / 2))


def heavy(y):
    right(y, dist.Laplace)
"""
Y = np.random.default_rng(3).normal(1.0, 1.0, size=12)
SD = (12 + 1 / 9) ** -0.5
MEAN = SD**2 * Y.sum()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    ported = PYRO.replace("pyro", "numpyro").replace("torch.dist", "numpyro.dist")
    ported = ported.replace("from torch import tensor", "from jax.numpy import asarray as tensor")
    texts = {"pyro": PYRO, "numpyro": ported + WRONG.replace("SD", str(SD))}
    files = {name: folder / f"{name}_guides.py" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    return bc.compare_programs(
        pyro=f"{files['pyro']}:model+right",
        numpyro=[f"{files['numpyro']}:model+{guide}" for guide in ("right", "narrow", "heavy")],
        data={"y": Y},
        settings=Settings(method="svi(steps=1000, particles=16, rate=0.05)"),
    )


def by_guide(name):
    return "pyro" if name == "pyro" else name.rpartition("+")[2]


def test_each_is_healthy_and_the_right_ones_are_the_posterior(found):
    contenders = {by_guide(one["name"]): one for one in found.document["contenders"]}
    assert {name: one["healthy"] for name, one in contenders.items()} == dict.fromkeys(contenders, True), str(found)
    assert {one["method"] for one in contenders.values()} == {"svi(rate=0.05, guide=own_guide, particles=16)"}
    rows = {by_guide(row["contender"]): row for row in found.document["parameters"]}
    for name in ("pyro", "right"):
        assert rows[name]["mean"] == pytest.approx(MEAN, abs=0.08 * SD)  # 4 errors of 0.02 sds at most
        assert rows[name]["sd"] == pytest.approx(SD, rel=0.08)


def test_both_libraries_agree_and_wrong_guides_are_told_as_what_they_are(found):
    pairs = {(by_guide(pair["a"]), by_guide(pair["b"])): pair for pair in found.document["pairs"]}
    assert pairs["pyro", "right"]["verdict"] == "agree", str(found)
    for one in ("pyro", "right"):
        narrow, heavy = pairs[one, "narrow"], pairs[one, "heavy"]
        assert narrow["verdict"] == heavy["verdict"] == "disagree"
        assert {said["code"] for said in narrow["reasons"]} == {"different-posterior"}
        (sds,) = (row for row in narrow["rows"] if (row["quantity"], row["statistic"]) == ("m", "sd"))
        assert np.exp(sds["difference"]) == pytest.approx(2.0, rel=0.08) and sds["verdict"] == "disagree"
        assert "other-shape" in {said["code"] for said in heavy["reasons"]}, heavy["reasons"]
