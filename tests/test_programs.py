"""Programs of one's own, by a stranger that takes them in plain NumPy: what is the same, and where they differ."""

import re

import numpy as np
import pytest
from programs_support import SCHOOLS, TEXTS, changed, prepared, written

from bayescore.cli import main
from bayescore.porting import state
from bayescore.programs.work import verdicts
from bayescore.testing import assert_same_program, programs


@pytest.fixture
def folder(install, tmp_path, monkeypatch):
    """A folder to work in, where the stranger is the only backend."""
    return prepared(install, tmp_path, monkeypatch)


def held(folder, which, a, b, **asked):
    """The model check of two programs, in this process."""
    sources = [written(folder, name, text) for name, text in (("a", a), ("b", b))]
    subject = state({"plain": sources}, f"{which}.json", asked.get("rename", {}), asked.get("transpose", ()), (), 0)
    subject = programs.here(subject)
    sessions = programs.sessions(subject, "float64")
    looks, helds, points = programs.hold(sessions)
    return list(verdicts(looks, helds, points, "float64").values())[1]


FAULTS = [
    ("schools", 'normal(theta, sigma), obs', 'normal(theta, sigma**2), obs', "obs", "square of .*variance for an sd"),
    ("schools", 'normal(theta, sigma), obs', 'normal(theta, 1 / sigma**2), obs', "obs", "1 over the square of"),
    ("schools", "half_normal(5.0)", "half_normal(25.0)", "tau", "square .*variance for an sd"),
    ("schools", "normal(0.0, 5.0)", "normal(0.0, 50.0)", "mu", "10 times"),
    ("schools", "normal(0.0, 5.0)", "normal(1.0, 5.0)", "mu", "its loc is 1, and plain=a.py:model's 0"),
    ("schools", "normal(theta, sigma), obs", "normal(np.roll(theta, 1), sigma), obs", "obs", "off by one"),
    ("schools", "normal(theta, sigma), obs", "normal(theta[::-1], sigma), obs", "obs", "reverse"),
    ("schools", "obs=y", "obs=y[[0, 1, 2, 3, 4, 6, 5, 7]]", "obs", "rows 5, 6 of 8 differ.*another order"),
    ("schools", "obs=y", "obs=np.where(np.arange(8) == 2, 3.0, y)", "obs", r"row 2 alone differs.*at \[2\] it is 3"),
    ("schools", "obs=y)", 'obs=y)\n    site("again", normal(theta, sigma), obs=y)', "again", "only plain=b.* observes"),
    ("schools", "half_normal(5.0)", "gamma(1.0, 0.2)", "tau", r"Gamma\(.*\) where .* has HalfNormal"),
    ("schools", "half_normal(5.0)", "uniform(0.0, 20.0)", "tau", "numbers between 0 and 20"),
    ("schools", "half_normal(5.0)", "normal(0.0, 5.0)", "tau", "real numbers"),
    ("schools", ', obs=y)', ')', "obs", "observed in plain=a.* and sampled in plain=b"),
    ("schools", "np.full(8, mu)", "np.full(7, mu)", None, None),
    ("counts", "gamma(2.0, 0.1)", "gamma(2.0, 10.0)", "k", "rate is 1 over .*rate for a scale"),
    ("counts", "gamma(2.0, 0.1)", "gamma(0.1, 2.0)", "k", "concentration and rate are exchanged"),
    ("counts", "gamma(k, k / rate)", "gamma(k, rate / k)", "obs", "1 over"),
    ("counts", "np.exp(beta[0] + beta[1] * x)", "np.exp(beta[1] + beta[0] * x)", "obs", "all rows|rows"),
    ("counts", "gamma(k, k / rate)", "gamma(k, k / np.log1p(rate))", "obs", "its rate"),
    ("counts", "beta[1] * x)", "beta[1] * x + 0 * k)", None, None),
]  # fmt: skip


@pytest.mark.parametrize("which, old, new, site, words", [f for f in FAULTS if f[3]])
def test_a_planted_fault_is_found_at_its_site_in_words(folder, which, old, new, site, words):
    wrong = changed(which, old, new)
    found = held(folder, which, TEXTS[which], wrong)
    assert (found.verdict, found.site) == ("different", site)
    assert re.search(words, found.pattern), found.pattern
    assert held(folder, which, TEXTS[which], TEXTS[which] + "# the same\n").verdict == "same"


@pytest.mark.parametrize("which", TEXTS)
@pytest.mark.parametrize("seed", range(50))
def test_the_same_model_is_never_called_another(folder, which, seed):
    another_way = {
        "schools": changed("schools", "normal(theta, sigma), obs=y", "normal(theta - 3.0, sigma), obs=y - 3.0"),
        "counts": changed("counts", "gamma(k, k / rate)", "gamma(k, np.exp(np.log(k) - np.log(rate)))"),
    }
    files = [written(folder, name, text) for name, text in (("a", TEXTS[which]), ("b", another_way[which]))]
    assert_same_program(plain=files, data=f"{which}.json", seed=seed)


MANY = """
def model(y):
    mu = site("mu", normal(0.0, {scale}))
    obs = y.copy()
    obs[{row}] += {moved}
    site("obs", normal(mu, np.full(len(y), 0.01)), obs=obs)
"""


def test_where_rows_differ_is_kept_row_by_row_and_drawn(folder):
    other = changed("schools", "obs=y", "obs=np.where(np.arange(8) == 2, 3.0, y)")
    check = held(folder, "schools", SCHOOLS, other)
    (term,) = check.apart
    assert (term["site"], term["rows_of"]) == ("obs", 8)
    assert [row["row"] for row in term["rows"]] == ["2"]
    assert term["rows"][0]["spread"] == pytest.approx(max(map(abs, term["points"])))
    assert main(["programs", "plain=a.py:model", "plain=b.py:model", "--data", "schools.json", "--model-only",
                 "--html", "page.html", "--plots", "plots", "--out", "kept", "--quiet"]) == 1  # fmt: skip
    assert (folder / "plots" / "model.png").is_file()
    assert "<img" in (folder / "page.html").read_text()
    assert main(["show", "kept", "--html", "again.html", "--quiet"]) == 1
    assert (folder / "again.html").read_text() == (folder / "page.html").read_text()


@pytest.mark.parametrize(
    "fault, site, words",
    [({"scale": "10.001"}, "mu", "its scale"), ({"moved": "1e-4"}, "obs", "row 77777 alone differs"), ({}, None, "")],
)
def test_many_rows_hide_neither_a_prior_nor_a_row(folder, fault, site, words):
    """Held by the size of the whole, 1e10 nats at draws of the prior, both faults would pass."""
    np.savez(folder / "many.npz", y=np.random.default_rng(0).normal(size=100_000))
    right = {"scale": "10.0", "row": "77777", "moved": "0.0"}
    files = [written(folder, n, MANY.format(**given)) for n, given in (("a", right), ("b", {**right, **fault}))]
    subject = programs.here(state({"plain": files}, "many.npz", {}, (), (), 0))
    looks, helds, points = programs.hold(programs.sessions(subject, "float64"))
    found = list(verdicts(looks, helds, points, "float64").values())[1]
    assert (found.verdict, found.site) == (
        "different" if site else "not-checked" if found.points < 10 else "same",
        site,
    )
    assert words in (found.pattern or "")


def test_a_constant_term_is_reported_and_changes_nothing(folder):
    constant = changed("schools", "obs=y)", 'obs=y)\n    site("extra", normal(0.0, 2.0), obs=np.zeros(3))')
    found = held(
        folder,
        "schools",
        changed("schools", "obs=y)", 'obs=y)\n    site("extra", normal(0.0, 1.0), obs=np.zeros(3))'),
        constant,
    )
    assert found.verdict == "same"
    assert found.constant == pytest.approx(-3 * np.log(2.0))
    assert "a constant apart (extra by -2.079)" in found.pattern


def test_digits_lost_in_float32_are_told_apart_from_another_model(folder):
    rounded = changed("schools", "normal(theta, sigma), obs", "normal(theta, (sigma / 3.0).astype(np.float32)), obs")
    exact = changed("schools", "normal(theta, sigma), obs", "normal(theta, sigma / 3.0), obs")
    found = held(folder, "schools", exact, rounded)
    assert (found.verdict, found.site) == ("precision", "obs")
    assert held(folder, "schools", exact, exact).verdict == "same"


def test_a_site_of_another_name_is_renamed_on_request(folder):
    renamed = SCHOOLS.replace('"tau"', '"sd"')
    found = held(folder, "schools", SCHOOLS, renamed)
    assert (found.verdict, found.code, found.site) == ("different", "missing-site", "tau")
    assert "--rename sd=tau" in found.pattern
    assert held(folder, "schools", SCHOOLS, renamed, rename={"sd": "tau"}).verdict == "same"


WEIGHTS = """
def model(y, x):
    w = site("w", normal(np.zeros(({0})), 1.0 + np.arange(6.0).reshape(2, 3){1}))
    site("obs", normal((w{2} @ np.stack([x[:3], x[3:]])).ravel()[:6], 1.0), obs=y)
"""


def test_a_matrix_that_is_the_others_transposed_is_so_on_request(folder):
    plain = WEIGHTS.format("2, 3", "", ".T")
    turned = WEIGHTS.format("3, 2", ".T", "")
    found = held(folder, "counts", plain, turned)
    assert (found.code, found.site) == ("different-shape", "w")
    assert "--transpose w" in found.pattern
    assert held(folder, "counts", plain, turned, transpose=["w"]).verdict == "same"


CENTRED = SCHOOLS


NONCENTRED = """
def model(y, sigma):
    mu = site("mu", normal(0.0, 5.0))
    tau = site("tau", half_normal(5.0))
    raw = site("raw", normal(np.zeros(8), 1.0))
    theta = site("theta", value=mu + tau * raw)
    site("obs", normal(theta, sigma), obs=y)
"""


def test_another_parametrization_is_not_called_another_model(folder):
    found = held(folder, "schools", CENTRED, NONCENTRED)
    assert (found.verdict, found.code, found.site) == ("not-checked", "reparametrized", "theta")
    found = held(folder, "schools", CENTRED, NONCENTRED.replace('site("tau", half_normal(5.0))', "3.0"))
    assert (found.verdict, found.code) == ("different", "missing-site")


def test_a_density_that_is_no_number_is_said(folder):
    found = held(
        folder,
        "schools",
        SCHOOLS,
        changed("schools", "normal(theta, sigma), obs", "normal(theta * np.nan, sigma), obs"),
    )
    assert (found.verdict, found.site) == ("different", "obs")
    assert "it is nan" in found.pattern
