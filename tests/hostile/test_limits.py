"""Work without bound is refused before any of it is done, with a sentence; what fits is not."""

import time
from dataclasses import fields

import numpy as np
import pytest

from bayescore import methods
from bayescore.cli import main
from bayescore.comparison.run import choose
from bayescore.contract import limits
from bayescore.errors import DataError, RequestError, suggest
from bayescore.methods import MAP, NUTS, SVI, Exact
from bayescore.model import distributions
from bayescore.model.data import from_arrays
from bayescore.plugins import loading
from bayescore.settings import Settings
from bayescore.system import memory
from bayescore.tables.problem import from_data, from_table, toy

pytestmark = pytest.mark.usefixtures("only_core")
QUICK = 5.0
"""Seconds within which a request is refused, on a busy machine, too."""


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a comparison that has to be refused soon, and return its line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        start = time.perf_counter()
        argv = ["compare", *arguments, "--out", "kept"]
        try:
            code = main(argv if "--backends" in arguments else [*argv, "--backends", "exact"])
        except SystemExit as stop:
            code = stop.code
        assert time.perf_counter() - start < QUICK
        out, err = capsys.readouterr()
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert "Traceback" not in err
        assert not (tmp_path / "kept").exists()
        assert len(err) < 2000
        return err

    return run


GIB = "GiB of memory"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--data", "toy(n=100000000000)"), f"100000000000 rows and 1 columns would take 1.49e+03 {GIB}"),
        (("--data", "toy(n=1, p=100000000000)"), GIB),
        (("--data", "toy(p=10000000)"), GIB),
        (("--data", f"toy(n={10**30})"), "under 2**63"),
        (("--data", f"toy(n=0x{'f' * 5000})"), "can't read"),
        (("--backends", "exact:exact(draws=1000000001)"), "draws must be at most 1000000000"),
        (("--method", "exact(draws=1000000000)"), GIB),
        (("--method", "nuts(chains=1000000)"), "chains must be at most 1000"),
        (("--method", "nuts(warmup=10000000000)"), "warmup must be at most"),
        (("--method", "nuts(max_tree_depth=30)"), "max_tree_depth must be at most 20"),
        (("--method", "svi(steps=10000000000)"), "steps must be at most"),
        (("--method", "svi(particles=10000000)"), "particles must be at most"),
        (("--method", "svi(batch_size=10000000000)"), "batch_size must be at most"),
        (("--method", "svi(draws=1e12)"), "draws must be a whole number"),
        (("--method", "svi(rate=1e999)"), "rate must be a positive number"),
        (("--backends", "exact:nuts(chains=1000, draws=1000000000)"), GIB),
        (("--network", "1000000000"), "at most 100 layers and 100000 weights"),
        (("--network", "1000", "1000"), "at most 100 layers and 100000 weights"),
        (("--network", *["1"] * 200), "at most 100 layers and 100000 weights, not 200"),
        (("--timeout", "1e300"), "at most 1e9"),
        (("--jobs", "1000000000"), "at most 1000"),
        (("--cores", "1000000000"), "at most 1000"),
        (("--margin", "1e300"), "at most 1e6"),
        (("--alpha", "-0.0"), "alpha must be between 0 and 1"),
        (("--seed", str(2**63)), "under 2**63"),
        (("--seed", "9" * 5000), "--seed"),
        (("--backends", *(f"exact:exact(draws={n})" for n in range(1, 200))), "a list of at most 100"),
        (("--backends", "e" * 100_000), "unknown backend"),
        (("--backends", "exact:" + "(" * 100_000), "can't read"),
        (("--prior", "beta ~ " + "Normal(" * 50_000), "can't read"),
        (("--prior", "b" * 100_000 + " ~ Flat()"), "which is no parameter"),
        (("--family", "Gaussian(sigma=" + "-" * 100_000 + "1)"), "can't read"),
    ],
    ids=lambda value: value[1][:40] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_request_without_bound_is_refused_before_any_work(refused, arguments, message):
    said = refused(*arguments)
    assert message in said


DEEP = 20_000


@pytest.mark.parametrize(
    "text, message",
    [
        ("a = " + "[" * DEEP + "]" * DEEP, "nested too deeply"),
        ("a = " + "{a = " * DEEP + "1" + "}" * DEEP, "nested too deeply"),
        ("seed = " + "[" * 200 + "]" * 200, "seed must be a whole number"),
        (".".join(["a"] * 50_000) + " = 1", "without dots"),
        ("seed." + " . ".join(["a"] * 50_000) + " = 1", "without dots"),
        (".".join(['"a"'] * 50_000) + " = 1", "without dots"),
        ("[" + ".".join(["a"] * 50_000) + "]", "without dots"),
        ("seed." + ".".join(["a"] * 150) + " = 1", "under 2**63, not {'a'"),
        ("timeout = 1e300", "at most 1e9"),
        ("timeout = 9" + "0" * 400, "at most 1e9"),
        ("margin = 9" + "0" * 400, "margin must be"),
        ("seed = 0x" + "f" * 5000, "seed must be a whole number"),
        ("seed = " + "9" * 5000, "is no problem file"),
        ("network = [99999999999999999999]", "100000 weights"),
        ("formula = '" + "x" * (1 << 21) + "'", "more than 1048576 bytes"),
        ("prior = ['beta ~ Flat()'" + ", 'beta ~ Flat()'" * 50_000 + "]", "given twice"),
    ],
)
def test_a_problem_file_without_bound_is_refused(refused, tmp_path, text, message):
    (tmp_path / "problem.toml").write_text(text)
    assert message in refused("problem.toml")


def test_a_file_of_references_and_a_document_without_bound_are_refused(tmp_path, capsys):
    for name, command in (("references.json", "reference"), ("comparison.json", "show")):
        (tmp_path / name).write_text("[" * DEEP + "]" * DEEP)
        assert main([command, str(tmp_path)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1


@pytest.mark.parametrize("argument", ["--repetitions", "--refits", "--jobs", "--cores"])
def test_a_study_has_bounds_too(argument, capsys):
    assert main(["study", argument, "1000000000000"]) == 2
    assert "at most" in capsys.readouterr().err
    assert main(["study", "--seed", "-1"]) == 2


def test_every_whole_number_of_a_method_has_a_bound():
    for cls in methods.METHODS.values():
        for field in fields(cls):
            if field.type in {"int", int} or "int |" in str(field.type):
                with pytest.raises(RequestError, match="at most"):
                    cls(**{field.name: 10**12})


@pytest.mark.parametrize(
    "method, what",
    [
        (NUTS(draws=10**6), "4000000 draws of nuts of 2 parameters"),
        (Exact(draws=10**7), "10000000 draws of exact of 2 parameters"),
        (SVI(steps=10**7), "steps of svi"),
        (SVI(particles=10**6), "particles of svi"),
        (MAP(steps=10**8), "steps of map"),
    ],
)
def test_what_memory_allows_depends_on_the_memory(monkeypatch, method, what):
    stated = toy(100)
    limits.check_fit(stated.regression, method, 100)
    monkeypatch.setattr(memory, "memory", lambda: 1 << 27)
    with pytest.raises(RequestError, match=what):
        limits.check_fit(stated.regression, method, 100)
    for sound in (NUTS(), Exact(), SVI(), MAP(), SVI(batch_size=10, particles=10**4)):
        limits.check_fit(stated.regression, sound, 100)


def test_rows_to_predict_need_no_memory_for_all_their_draws(monkeypatch):
    table = {"x": np.linspace(0.0, 1.0, 40), "y": np.sin(np.arange(40.0))}
    stated = from_table("y ~ x", table, new_table={"x": np.linspace(1.0, 2.0, 20_000)})
    monkeypatch.setattr(memory, "memory", lambda: 1 << 27)
    (chosen,) = choose(stated, ["exact:exact(draws=1000)"], Settings(), loading.load())
    assert chosen.method.draws * stated.new_data.rows * 8 > memory.memory()


def test_columns_whose_covariance_does_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: 1 << 20)
    with pytest.raises(RequestError, match="the covariance of 200 columns"):
        from_data(from_arrays(np.random.default_rng(0).normal(size=(3, 200)), [1.0, 2.0, 4.0]))


def test_the_largest_numbers_that_are_taken_are_taken():
    assert Settings(seed=2**63 - 1, timeout=1e9, jobs=1000, cores=1000, margin=1e6, alpha=1e-300).seed == 2**63 - 1


def test_a_long_word_or_list_gets_no_suggestion_late():
    start = time.perf_counter()
    suggest("x" * 10**6, [f"x{i}" for i in range(10**5)])
    suggest("column", [f"column{i}" for i in range(10**5)])
    assert time.perf_counter() - start < QUICK
    assert suggest("colum", ["column"]) == "; did you mean 'column'?"


def test_numbers_that_can_t_be_squared_are_refused():
    with pytest.raises(DataError, match=r"column .x. is beyond 1e\+100 in row 2: measure it in a larger unit"):
        from_arrays([0.0, 1e200], [1.0, 2.0])
    with pytest.raises(DataError, match="column 'y' is beyond"):
        from_table("y ~ x", {"y": [1.0, -1e150, 2.0], "x": [1.0, 2.0, 4.0]})
    with pytest.raises(DataError, match="column 'x' is within 1e-100 of 0 in all rows: measure it in a smaller unit"):
        from_arrays([0.0, 1e-200], [1.0, 2.0])
    for sound in ([0.0, 1e100], [0.0, -1e-100], [0.0, 0.0], [1e-300, 1.0]):
        assert from_arrays(sound, [1.0, 2.0]).rows == 2


def test_products_make_no_more_columns_than_the_rows_can_bear():
    rng = np.random.default_rng(0)
    table = {f"x{i}": rng.normal(size=20) for i in range(9)} | {"g": [*"abcde"] * 4, "y": rng.normal(size=20)}
    wide = " * ".join(["g", *(f"x{i}" for i in range(9))])
    for formula in (f"y ~ {wide}", f"y ~ {wide.replace(' * ', ' + ').join('()')} ** 10"):
        with pytest.raises(RequestError, match=r"columns, for 20 rows: leave some of them out|more than 1000 terms"):
            from_table(formula, table)
    assert from_table("y ~ g * x0 * x1 * x2", table).data.x.shape == (20, 39)


@pytest.mark.parametrize("text", ["Normal(0, 1e300)", "Normal(1e300, 1)", "Exponential(5e-324)", "Uniform(-1e300, 0)"])
def test_numbers_of_priors_that_overflow_are_refused(text):
    with pytest.raises(RequestError, match=r"must lie between 1e-250 and 1e\+250 in size"):
        distributions.parse(text)
    assert distributions.parse("Normal(-1e250, 1e-250)").scale == 1e-250
