"""The exact backend against public reference posteriors (BAYESCORE_REFERENCE)."""

import json

import numpy as np
import pytest

from bayescore.exact.posterior import solve
from bayescore.tables import problem
from bayescore.tables.files import read_table

GAUSSIAN = [
    "kidiq-kidscore_momiq",
    "kidiq-kidscore_momhs",
    "kidiq-kidscore_momhsiq",
    "kidiq-kidscore_interaction",
    "earnings-logearn_height",
    "earnings-logearn_interaction",
    "mesquite-mesquite",
    "nes1980-nes",
    "sblri-blr",
    "kilpisjarvi_mod-kilpisjarvi",
]


@pytest.mark.parametrize("name", GAUSSIAN)
def test_exact_finds_the_reference_posterior(reference, name):
    record = next(r for r in json.loads((reference / "references.json").read_text()) if r["name"] == name)
    table = read_table(reference / record["file"])
    stated = problem.from_table(record["formula"], table, family=record["family"], priors=record["priors"])
    moments = solve(stated.regression, stated.data).moments
    assert set(moments.names) == set(record["parameters"])
    for parameter, mean, sd in zip(moments.names, moments.mean, moments.sd, strict=True):
        known = record["parameters"][parameter]
        rounding = 5e-10 * abs(known["mean"])
        assert abs(mean - known["mean"]) < 1e-6 * known["sd"] + rounding, parameter
        assert abs(sd / known["sd"] - 1) < 1e-6, parameter


def test_the_public_draws_bear_the_exact_means_out(reference):
    records = json.loads((reference / "references.json").read_text())
    z = [
        (p["mean"] - p["posteriordb_mean"]) / p["posteriordb_mcse"]
        for record in records
        if record["name"] in GAUSSIAN
        for p in record["parameters"].values()
    ]
    assert len(z) > 40
    assert np.max(np.abs(z)) < 5
