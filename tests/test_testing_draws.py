"""What users have draws in: samplers after their run, sites of other names, entries that follow from others."""

from dataclasses import replace

import numpy as np
import pytest

from bayescore.errors import DataError, RequestError
from bayescore.exact.posterior import solve
from bayescore.inference_data import to_datatree
from bayescore.model.posterior import Posterior
from bayescore.tables import problem
from bayescore.testing import assert_posteriors_agree

SHAPE = (4, 2500)
NAMES = ("pyro", "numpyro")


class Sampler:
    """What an MCMC shows of itself."""

    num_chains = 4

    def __init__(self, draws) -> None:
        self.draws = draws

    def get_samples(self, group_by_chain=False):
        assert self.draws is not None, "`run` must be called before `get_samples`."
        return self.draws if group_by_chain else {k: v.reshape(-1, *v.shape[2:]) for k, v in self.draws.items()}


class LikeNumPyro(Sampler):
    diverging = np.zeros(SHAPE, dtype=bool)

    def get_extra_fields(self, group_by_chain=False):
        return {"diverging": self.diverging if group_by_chain else self.diverging.ravel()}


class LikePyro(Sampler):
    diverged = ((), (), (), ())

    def diagnostics(self):
        return {"mu": {"r_hat": 1.0}, "divergences": {f"chain {k}": list(at) for k, at in enumerate(self.diverged)}}


def gaussian(seed: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    """Of sites mu, a vector w of correlated entries, and sigma, which is positive."""
    rng = np.random.default_rng(seed)
    w = rng.multivariate_normal([1.0, 2.0], [[1.0, 0.6], [0.6, 1.0]], SHAPE)
    return {"mu": rng.normal(shift, 1.0, SHAPE), "w": w, "sigma": np.exp(rng.normal(0.0, 0.3, SHAPE))}


def failed(a, b, **more) -> str:
    with pytest.raises(AssertionError) as failure:
        assert_posteriors_agree(a, b, **more)
    return str(failure.value)


def disagreeing(said: str) -> set[str]:
    """Quantities whose means disagree, by the table."""
    rows = [line.split() for line in said.splitlines()]
    return {row[0] for row in rows if row[1:2] == ["mean"] and row[-1] == "disagree"}


def test_samplers_after_their_run_are_read() -> None:
    everything = [LikePyro(gaussian(1)), LikeNumPyro(gaussian(2)), gaussian(3), to_datatree(Posterior(gaussian(4)))]
    for other in everything[1:]:
        assert_posteriors_agree(everything[0], other, positive=["sigma"])
    assert "the means of mu differ by" in failed(LikePyro(gaussian(1)), LikeNumPyro(gaussian(2, 0.4)))


def test_what_diverged_is_said_as_a_comparison_would() -> None:
    unwell = LikeNumPyro(gaussian(2))
    unwell.diverging = np.zeros(SHAPE, dtype=bool)
    unwell.diverging[2, [5, 9, 40]] = True
    said = failed(LikePyro(gaussian(1)), unwell, names=NAMES)
    assert said.startswith("inconclusive: unconverged: numpyro: 3 divergent transitions")
    unwell = LikePyro(gaussian(1))
    unwell.diverged = ((), (7,), (), ())
    said = failed(unwell, LikeNumPyro(gaussian(2)), names=NAMES)
    assert said.startswith("inconclusive: unconverged: pyro: 1 divergent transition")


def test_a_sampler_that_cannot_tell_is_not_taken_for_healthy() -> None:
    class Broken(LikePyro):
        def diagnostics(self):
            raise RuntimeError("no\nchains")

    with pytest.raises(DataError, match=r"^a: the MCMC doesn't tell which .* diverged \(RuntimeError: no chains\)$"):
        assert_posteriors_agree(Broken(gaussian(1)), gaussian(2))


def test_a_sampler_that_was_not_run() -> None:
    with pytest.raises(DataError, match=r"^numpyro: the MCMC has no draws; was it run\? \(AssertionError: `run` must"):
        assert_posteriors_agree(LikePyro(gaussian(1)), LikeNumPyro(None), names=NAMES)
    silent = LikePyro({})
    silent.get_samples = lambda group_by_chain: None
    with pytest.raises(DataError, match=r"^b: the MCMC has no draws; was it run\?$"):
        assert_posteriors_agree(gaussian(1), silent)
    with pytest.raises(DataError, match=r"^b: the MCMC's samples are a ndarray, not a dictionary by site$"):
        assert_posteriors_agree(gaussian(1), LikeNumPyro(np.zeros(SHAPE)))


def test_a_failure_calls_the_sides_by_name_and_has_the_table() -> None:
    said = failed(gaussian(1), gaussian(2, 0.4), names=NAMES).splitlines()
    assert said[0].startswith("disagree: different-posterior: the means of mu differ by -0.4")
    assert said[1:3] == ["", "pyro less numpyro, in posterior sds:"]
    assert said[3].split() == ["quantity", "of", "difference", "±", "se", "90", "%", "interval", "ratio", "verdict"]
    rows = said[4:14]
    assert said[14].startswith("the 10 worst of ")
    assert len(said) == 15
    verdicts = [row.split()[-1] for row in rows]
    assert verdicts == sorted(verdicts, key=("disagree", "inconclusive", "agree").index)
    assert verdicts[0] == "disagree"
    assert any(row.split()[:2] == ["mu", "mean"] for row in rows if row.endswith("disagree"))


def test_an_inconclusive_table_has_unknown_errors_first() -> None:
    """A single draw has none; nothing of it is shown as nan."""
    said = failed({"mu": np.ones((4, 1))}, {"mu": np.arange(4.0)[:, None]})
    assert said.startswith("inconclusive")
    assert "nan" not in said


def test_sites_are_renamed_on_whichever_side_has_the_old_name() -> None:
    other = gaussian(2)
    other["b"] = other.pop("w")
    for rename in ({"b": "w"}, {"w": "b"}):
        assert_posteriors_agree(gaussian(1), other, rename=rename)
        assert_posteriors_agree(other, gaussian(1), rename=rename)
    with pytest.raises(DataError, match=r"only a has w\[0\], w\[1\]; only b has b\[0\], b\[1\] \(rename them"):
        assert_posteriors_agree(gaussian(1), other)
    both = {**gaussian(1), "b": gaussian(5)["w"]}
    with pytest.raises(DataError, match=r"^rename: 'b' can't be called 'w', which pyro has already$"):
        assert_posteriors_agree(both, other, rename={"b": "w"}, names=NAMES)
    with pytest.raises(DataError, match=r"^rename: no site 'q' in pyro or numpyro \(there are mu, w, sigma, b\)$"):
        assert_posteriors_agree(gaussian(1), other, rename={"q": "w"}, names=NAMES)
    with pytest.raises(DataError, match="'mu' can't be called 'w', which a has already"):
        assert_posteriors_agree(gaussian(1), gaussian(2), rename={"mu": "w"})
    for rename in ({"b": ""}, {"b": 1}, {1: "b"}):
        with pytest.raises(RequestError, match="rename gives sites other names"):
            assert_posteriors_agree(gaussian(1), other, rename=rename)
    with pytest.raises(RequestError, match="rename is a dictionary of names, not"):
        assert_posteriors_agree(gaussian(1), other, rename="b=w")


def test_an_exact_posterior_keeps_its_moments_under_other_names() -> None:
    toy = problem.toy()
    exact = solve(toy.regression, toy.data).sample(10_000, 0)
    moments = exact.moments
    drawn = np.random.default_rng(1).multivariate_normal(moments.mean, moments.unconstrained_cov, SHAPE)
    for shift, agrees in ((0.0, True), (0.3, False)):
        mine = {"alpha": drawn[..., 0] + shift * moments.sd[0], "slope": drawn[..., 1:]}
        rename = {"intercept": "alpha", "slope": "beta"}
        if agrees:
            assert_posteriors_agree(exact, mine, rename=rename)
        else:
            assert "alpha" in disagreeing(failed(exact, mine, rename=rename))
    shifted = {"alpha": drawn[..., 0], "slope": drawn[..., 1:] + moments.sd[1]}
    assert_posteriors_agree(exact, shifted, rename={"alpha": "intercept"}, var_names="intercept")


def test_only_what_is_named_is_judged() -> None:
    a, b = gaussian(1), gaussian(2, 0.4)
    assert failed(a, b)
    b["w"][..., 1] += 0.5
    b["extra"] = b["mu"]
    for var_names in (["sigma"], "sigma", ["sigma", "w[0]"], ["~mu", "~w[1]", "~extra"], ["w", "~w[1]"]):
        assert_posteriors_agree(a, b, var_names=var_names)
    for var_names, found in ((["mu"], "mu"), (["~mu", "~extra"], "w[1]"), (["w"], "w[1]")):
        assert found in disagreeing(failed(a, b, var_names=var_names))
    b["sigma"][0, 0] = np.nan
    assert_posteriors_agree(a, b, var_names=["w[0]"])
    with pytest.raises(DataError, match="only b has extra"):
        assert_posteriors_agree(a, b, var_names=["extra", "w"])
    for var_names in (["sigmma"], ["~sigmma"]):
        with pytest.raises(DataError, match=r"^no parameter 'sigmma' \(there are mu, .*\); did you mean 'sigma'\?$"):
            assert_posteriors_agree(a, b, var_names=var_names)
    for var_names in ([], ["w", "~w"]):
        with pytest.raises(DataError, match="var_names leave nothing to judge"):
            assert_posteriors_agree(a, b, var_names=var_names)
    with pytest.raises(DataError, match="no parameter 3"):
        assert_posteriors_agree(a, b, var_names=[3])


def test_a_site_stands_for_its_elements_as_a_logarithm() -> None:
    both = [{"s": np.exp(np.random.default_rng(k).normal(0, 0.5, (*SHAPE, 2)))} for k in (1, 2)]
    assert_posteriors_agree(*both, positive=["s"])
    both[1]["s"][0, 0, 1] = -1.0
    with pytest.raises(DataError, match=r"'s\[1\]' can't be compared as a logarithm: b has a draw of -1"):
        assert_posteriors_agree(*both, positive="s")


def test_elements_that_are_only_numbered_have_the_other_sides_labels() -> None:
    named = Posterior(gaussian(1), {"w": ("x", "z")})
    assert_posteriors_agree(named, gaussian(2))
    assert_posteriors_agree(to_datatree(Posterior(gaussian(2))), named, var_names=["w[z]"])
    with pytest.raises(DataError, match=r"only a has w\[x\], w\[z\]; only b has w\[u\], w\[v\]"):
        assert_posteriors_agree(named, replace(named, labels={"w": ("u", "v")}))
    with pytest.raises(DataError, match="a has two parameters of one name"):
        assert_posteriors_agree(replace(named, labels={"w": ("x", "x")}), named)


@pytest.mark.parametrize("names", [("a", "a"), ("a",), ("a", "b", "c"), "ab", ("a", ""), ("a", 1), ("a", "b\n"), None])
def test_names_are_two_different_texts(names) -> None:
    with pytest.raises(RequestError, match=r"names are two .*texts") as refused:
        assert_posteriors_agree(gaussian(1), gaussian(2), names=names)
    assert "\n" not in str(refused.value)


def test_other_shapes_are_both_said() -> None:
    other = gaussian(2)
    other["w"] = other["w"][..., :1]
    with pytest.raises(DataError, match=r"^'w' has shape \(2,\) in pyro, and \(1,\) in numpyro$"):
        assert_posteriors_agree(gaussian(1), other, names=NAMES)
    assert_posteriors_agree(gaussian(1), other, var_names=["~w"])


def test_what_is_no_arviz_data_says_whose_it_is() -> None:
    with pytest.raises(DataError, match=r"^numpyro: no group 'posterior'"):
        assert_posteriors_agree(gaussian(1), 3, names=NAMES)


def simplex(seed: int, of=(3.0, 4.0, 5.0)):
    return np.random.default_rng(seed).dirichlet(of, SHAPE)


def root(seed: int, degrees: int = 20):
    """Cholesky factors of correlation matrices."""
    z = np.random.default_rng(seed).normal(size=(*SHAPE, 3, degrees))
    found = np.linalg.cholesky(np.einsum("...ij,...kj->...ik", z, z))
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def correlation(seed: int, degrees: int = 20):
    factor = root(seed, degrees)
    return np.einsum("...ij,...kj->...ik", factor, factor)


@pytest.mark.parametrize("kinds", [(np.float64, np.float64), (np.float32, np.float32), (np.float32, np.float64)])
@pytest.mark.parametrize("draw", [simplex, root, correlation])
def test_entries_that_follow_from_others_are_not_judged(draw, kinds) -> None:
    """Rounded by either precision; the diagonal of a correlation matrix moves by that alone."""
    a, b = ({"x": draw(seed).astype(kind)} for seed, kind in zip((1, 2), kinds, strict=True))
    assert_posteriors_agree(a, b)
    assert_posteriors_agree({**a, **gaussian(3)}, {**b, **gaussian(4)})


def test_a_lower_triangle_that_is_rounded_otherwise_is_not_judged() -> None:
    """As by another order of sums: a direction in which only rounding differs."""
    a, b = ({"x": correlation(seed)} for seed in (1, 2))
    lower = np.tril(np.ones((3, 3), dtype=bool), -1)
    b["x"][..., lower] = np.nextafter(b["x"][..., lower], 2.0)
    assert_posteriors_agree(a, b)


def test_what_is_left_out_of_a_table_is_said() -> None:
    def left_out(a, b):
        return failed({"x": a}, {"x": b}).splitlines()[-1]

    words = "not judged, as they follow from the others: "
    assert left_out(simplex(1), simplex(2, (5.0, 4.0, 3.0))) == words + "x[2]"
    assert left_out(correlation(1), correlation(2, 6)) == words + "x[1,0], x[2,0], x[2,1]"
    assert "not judged" not in failed({"x": root(1)}, {"x": root(2, 6)})


@pytest.mark.parametrize("seed", range(5))
def test_a_sum_of_others_is_not_judged_and_a_near_one_is(seed: int) -> None:
    """The scalars are judged, whatever the order; off by a thousandth of its sd, an entry has its own row."""

    def drawn(k: int, off: float, bias: float = 0.0):
        rng = np.random.default_rng(100 * seed + k)
        slopes = rng.normal(2000.0, 1.0, (*SHAPE, 2))
        fitted = slopes @ np.random.default_rng(seed).normal(size=(2, 6)) + 3.0
        fitted += off * rng.normal(bias, 1.0, fitted.shape)
        return {"fitted": fitted, "p": slopes[..., 0], "q": slopes[..., 1], "double": 2.0 * slopes[..., 0]}

    assert_posteriors_agree(drawn(1, 0.0), drawn(2, 0.0))
    out = failed({**drawn(1, 0.0), "r": gaussian(1)["mu"]}, {**drawn(2, 0.0), "r": gaussian(2, 1.0)["mu"]})
    assert out.endswith("others: double, " + ", ".join(f"fitted[{j}]" for j in range(6)))
    assert "disagree" in failed(drawn(1, 1e-3), drawn(2, 1e-3, 1.0))


def test_what_follows_otherwise_disagrees() -> None:
    with pytest.raises(AssertionError, match=r"^disagree: x\[2\] follows from other parameters in a, otherwise in b$"):
        assert_posteriors_agree({"x": simplex(1)}, {"x": simplex(2) * [1.0, 1.0, 1.001]})


def test_few_different_draws_hide_nothing() -> None:
    """Chains that stand still lie on a plane, and are inconclusive all the same."""
    still = {"x": np.repeat(np.random.default_rng(1).normal(size=(4, 1, 6)), 500, axis=1)}
    moved = {"x": np.repeat(np.random.default_rng(2).normal(size=(4, 1, 6)), 500, axis=1)}
    for other in (still, moved):
        assert failed(still, other).startswith("inconclusive: unconverged")


def test_a_constant_that_is_rounded_is_one() -> None:
    a, b = gaussian(1), gaussian(2)
    a["c"], b["c"] = np.full(SHAPE, 0.1), np.full(SHAPE, np.float32(0.1))
    b["c"][0, 0] += 1e-8
    assert_posteriors_agree(a, b)
    b["c"] += 1e-3
    assert failed(a, b, names=NAMES) == "disagree: c is always 0.1 in pyro, and always 0.101 in numpyro"
