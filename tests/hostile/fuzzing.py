"""Random requests: each is taken or refused in one line, within five seconds of processor time, and nothing else.

``python tests/hostile/fuzzing.py --inputs 20000`` prints how many of each kind were taken
and refused, and the slowest. An input that breaks the promise is made small and shown.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from bayescore.cli import request, stating
from bayescore.comparison.run import choose, compare
from bayescore.errors import BayescoreError
from bayescore.methods import METHODS
from bayescore.model.families import FAMILIES
from bayescore.plugins import loading
from bayescore.printable import printable
from bayescore.settings import Settings
from bayescore.tables.files import read_table
from bayescore.tables.problem import Problem, from_table

LIMIT = 5.0
"""Seconds of processor time for one input."""
_END_TO_END = 400
"""One input in so many that are taken is fitted, too."""
_MEMORY = 16 << 30

TABLE = pd.DataFrame(
    {
        "y": [1.0, 2.5, 4.0, 3.0, 5.5, 2.0, 0.5, 6.0],
        "x": [0.5, 1.5, 2.5, 3.5, 4.5, 0.0, -1.0, 7.0],
        "z": [2, 1, 4, 3, 6, 1, 2, 5],
        "c": [*"abacabca"],
        "g": [*"ppqqrrss"],
        "yes": [0, 1, 0, 1, 1, 0, 0, 1],
        "odd name": [1.0, 2.0, 1.0, 3.0, 2.0, 1.0, 4.0, 2.0],
        "Sum": [0.1, 0.2, 0.1, 0.5, 0.2, 0.4, 0.3, 0.2],
        "[red]": [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
    }
)

# ---- what people, and others, may write ----

_name = st.sampled_from(["x", "z", "c", "g", "y", "yes", "w", "`odd name`", "Sum", "`[red]`", "True", "None", "1", "0"])
_number = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "3",
        "-1",
        "0.5",
        "99999999",
        "1000000",
        "1e999",
        "1e-999",
        "0x" + "f" * 2000,
        "9" * 5000,
        "1j",
        "nan",
    ]
)
_text = st.text(max_size=20)
_junk = st.one_of(_text, st.text("()[]{}|~+-*/:^`'\"\\,=%<>.!@#$&_ \n\t\0xyc01", max_size=30))
_function = st.sampled_from(
    ["log", "exp", "sqrt", "center", "scale", "poly", "bs", "C", "S", "T", "I", "offset", "proportion", "p", "open",
     "Treatment", "Sum", "binary", "__import__", "abs"]
)  # fmt: skip


def _calls(inside: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    setting = st.sampled_from(["df=100000", "degree=-1", "knots=[1, 2]", "'a'", "raw=True"])
    argument = st.one_of(inside, _number, setting)
    return st.builds(lambda f, args: f"{f}({', '.join(args)})", _function, st.lists(argument, max_size=3))


def _combined(inside: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    operator = st.sampled_from(
        [" + ", " - ", ":", " * ", " / ", " ** ", " | ", " || ", " == ", " > ", " ", "^", "%in%"]
    )
    return st.one_of(
        st.builds(lambda a, o, b: f"{a}{o}{b}", inside, operator, inside),
        st.builds(lambda a: f"({a})", inside),
        st.builds(lambda a, b: f"({a} | {b})", inside, inside),
        st.builds(lambda a, n: f"({a}) ** {n}", inside, _number),
        st.builds(lambda a, n: " + ".join([a] * n) if len(a) < 200 else a, inside, st.sampled_from([12, 3000])),
        st.builds(lambda a, n: "(" * n + a + ")" * n, inside, st.sampled_from([1, 100, 20_000])),
        _calls(inside),
    )


_side = st.recursive(st.one_of(_name, _name, _number, _calls(_name)), _combined, max_leaves=12)
_left = st.one_of(
    st.just("y"), st.just("y"), st.sampled_from(["yes", "c", "z", "log(y)", "(y - x)", "c['a']", ""]), _side
)
_terms = [
    "x", "z", "c", "x:c", "c:g", "x * c", "c / x", "poly(x, 2)", "bs(x, df=4)", "scale(z)", "(1 | g)", "(x | g)",
    "C(c)", "I(x ** 2)", "offset(z)", "(x + c) ** 2", "log(z)", "`odd name`", "0", "1", "center(x)", "C(z > 2)", "Sum",
    "(c || g)", "poly(x, 1000000)", "bs(x, df=100000)", "I(x ** 99999999)", "I(1e308 * x)", "I(1e-308 * x)",
    "exp(exp(z))",
]  # fmt: skip
_sum = st.builds(" + ".join, st.lists(st.sampled_from(_terms), min_size=1, max_size=4))
_more = st.one_of(st.just(""), st.builds(" - {}".format, st.sampled_from(_terms)))
formulas = st.one_of(
    st.builds(lambda a, b, c: f"{a} ~ {b}{c}", _left, _sum, _more),
    st.builds(lambda a, b: f"{a} ~ {b}", _left, _side),
    st.builds(lambda a, b: f"{a} ~ {b}", _left, _side),
    st.builds(lambda a, j, b: f"{a}{j}{b}", _left, _junk, _side),
    _junk,
)

_setting = st.sampled_from(
    ["loc", "scale", "df", "rate", "concentration", "draws", "chains", "steps", "guide", "schedule", "init", "sigma",
     "link", "dense_mass", "batch_size", "low", "high", "nothing"]
)  # fmt: skip
_word = st.sampled_from(["full_rank", "true", "None", "inf", "'a'", "print", "probit", "Flat()"])
_argument = st.one_of(st.sampled_from(["1", "2", "0.5", "10"]), _number, _word, _junk)


def _call(names: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    given = st.one_of(_argument, st.builds(lambda k, v: f"{k}={v}", _setting, _argument))
    plain = st.lists(st.sampled_from(["1", "2", "0.5", "10", "0"]), min_size=1, max_size=3)
    return st.one_of(
        names,
        st.builds(lambda n, a: f"{n}({', '.join(a)})", names, plain),
        st.builds(lambda n, a: f"{n}({', '.join(a)})", names, st.lists(given, max_size=4)),
        _junk,
    )


_priors = ["Normal", "normal", "StudentT", "t", "Flat", "Gamma", "Horseshoe", "LKJ", "Uniform", "HalfNormal", "Nomral"]
_prior = _call(st.sampled_from(_priors))
_sites = ["intercept", "beta", "beta[x]", "beta[c[b]]", "sigma", "sd", "sd(1|g)", "sd(x|g)", "cor", "threshold"]
_site = st.sampled_from(_sites)
_floats = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 2.5, 1e-300, 1e300, 5e-324]))
priors = st.one_of(
    st.builds(lambda s, a, b: f"{s} ~ Normal({a}, {b})", st.sampled_from(["intercept", "beta"]), _floats, _floats),
    st.builds(
        lambda s, n, a: f"{s} ~ {n}({a})",
        st.sampled_from(["sigma", "sd"]),
        st.sampled_from(["Exponential", "HalfNormal", "HalfCauchy"]),
        _floats,
    ),
    st.builds(lambda s, p: f"{s} ~ {p}", st.sampled_from(["intercept", "beta", "beta[x]"]), _prior),
    st.builds(lambda s, p: f"{s} ~ {p}", st.one_of(_site, _site, _junk), _prior),
    st.builds(lambda s, p: f"{s} ~ {p}", _site, _prior),
    _junk,
)

_method = _call(st.sampled_from([*METHODS, "NUTS", "tutorial", "advi"]))
_backend = st.one_of(st.sampled_from(["exact", "Exact", "pyro", "", " exact "]), _junk)
_whole = st.builds(
    lambda m, s, n: f"exact:{m}({s}={n})",
    st.sampled_from([*METHODS]),
    st.sampled_from(["draws", "steps", "chains", "max_tree_depth", "particles", "rate"]),
    st.integers(-10, 10**12),
)
contenders = st.one_of(
    _whole,
    st.builds(lambda r, n: f"exact:svi(rate={r}, steps={n})", _floats, st.integers(1, 10**7)),
    st.builds(lambda b, s, m: f"{b}{s}{m}", _backend, st.sampled_from([":", ":", "::", " : "]), _method),
    _backend,
)

_cell = st.one_of(
    st.floats().map(str), st.integers().map(str),
    st.sampled_from(["", "1,5", "1.5", "NA", "None", "nan", "inf", "true", "12.5%", "$3", "1_000", "a", "b", '"', "é"]),
    st.just("\x1b[31m"),
    _text,
)  # fmt: skip
_header = st.sampled_from(
    [["y", "x"], ["y", "x"], ["y", "x", "x"], ["", "y", "x"], ["y"], [" y", "x "], ["\ufeffy", "x"]]
)


def _csv(header: list[str], rows: list[list[str]], comma: str, quote: str, end: str, encoding: str) -> bytes:
    lines = [comma.join(f"{quote}{cell}{quote}" for cell in row) for row in [header, *rows]]
    return end.join(lines).encode(encoding, "replace")


csv_files = st.one_of(
    st.builds(
        _csv, _header, st.lists(st.lists(_cell, min_size=1, max_size=3), max_size=8),
        st.sampled_from([",", ",", ";", "\t", "|", " "]), st.sampled_from(["", "", '"', "'"]),
        st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
        st.sampled_from(["utf-8", "utf-8", "latin-1", "utf-16", "utf-8-sig"]),
    ),
    st.builds(
        lambda rows: ("y,x\n" + "\n".join(f"{a},{b}" for a, b in rows)).encode(),
        st.lists(st.tuples(st.floats(width=32), st.floats(allow_nan=False, allow_infinity=False)), max_size=10),
    ),
    st.binary(max_size=200),
    st.builds(lambda junk, n: b"y,x\n1,2\n2,3\n" + junk * n, st.binary(max_size=20), st.sampled_from([1, 10, 10_000])),
)  # fmt: skip

_keys = st.sampled_from(
    ["backends", "method", "data", "formula", "family", "prior", "reference", "margin", "alpha", "new_data", "new-data",
     "seed", "precision", "timeout", "drop_missing", "weights", "network", "no_reduce", "sede", "a.b",
     '"quoted"', "seed.a.a"]
)  # fmt: skip
_scalar = st.one_of(
    st.sampled_from(["toy", "toy(n=5)", "toy(n=100000000000)", "toy(n=5, p=3)", "table.csv", "y ~ x", "none", "auto"]),
    formulas, priors, contenders, st.sampled_from([*FAMILIES]), _call(st.sampled_from([*FAMILIES, "gaussian"])),
    st.integers(), st.floats(), st.booleans(), st.just(10**400),
)  # fmt: skip
_value = st.recursive(_scalar, lambda v: st.lists(v, max_size=3), max_leaves=4)


def _toml(items: dict[str, object], tail: bytes) -> bytes:
    lines = (f"{key} = {json.dumps(value)}" for key, value in items.items())
    return "\n".join(lines).encode("utf-8", "replace") + tail


_tail = st.one_of(
    st.just(b""), st.just(b""), st.binary(max_size=20),
    st.sampled_from([b"\na = " + b"[" * 20_000, b"\n" + b"a." * 50_000 + b"a = 1", b"\n[" + b"a." * 5000 + b"a]"]),
)  # fmt: skip
_sound = st.fixed_dictionaries(
    {
        "backends": st.just(["exact"]),
        "data": st.sampled_from(["table.csv", "toy", "toy(n=7)"]),
        "formula": st.one_of(st.just("y ~ x"), formulas),
    },
    optional={
        "seed": st.integers(0, 2**64),
        "margin": st.floats(0, 2),
        "alpha": st.floats(0, 1),
        "timeout": st.floats(0),
        "family": st.sampled_from([*FAMILIES]),
        "network": st.lists(st.integers(1, 10**6), max_size=2),
        "prior": st.lists(priors),
        "reference": st.sampled_from(["none", "auto", "exact"]),
        "no_reduce": st.booleans(),
        "weights": st.sampled_from(["z", "c"]),
    },
)
problem_files = st.one_of(
    st.builds(_toml, _sound, st.just(b"")),
    st.builds(_toml, st.dictionaries(_keys, _value, max_size=5), _tail),
    st.binary(max_size=100),
)

# ---- what is done with it ----


@dataclass
class Tally:
    """What became of the inputs of one kind."""

    taken: int = 0
    refused: int = 0
    fitted: int = 0
    slowest: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)


def _of_formula(text: str, folder: Path) -> Problem:
    return from_table(text, TABLE)


def _of_prior(text: str, folder: Path) -> Problem:
    return from_table("y ~ x + c + (1 | g)", TABLE, priors=stating.parse_priors((text,)))


def _of_contender(text: str, folder: Path) -> Problem:
    problem = from_table("y ~ x", TABLE)
    choose(problem, [text], Settings(), loading.load())
    return problem


def _of_csv(content: bytes, folder: Path) -> Problem:
    (folder / "fuzz.csv").write_bytes(content)
    return from_table("y ~ x", read_table(folder / "fuzz.csv"))


def _of_file(content: bytes, folder: Path) -> Problem:
    (folder / "fuzz.toml").write_bytes(content)
    asked = request.read(folder / "fuzz.toml")
    stated, problem = asked.settings, asked.problem()
    choose(problem, list(asked.backends) or ["exact"], stated, loading.load())
    return problem


KINDS: dict[str, tuple["st.SearchStrategy[object]", Callable[..., Problem]]] = {
    "formulas": (formulas, _of_formula),
    "priors": (priors, _of_prior),
    "contenders": (contenders, _of_contender),
    "CSV files": (csv_files, _of_csv),
    "problem files": (problem_files, _of_file),
}


def look(kind: str, given_input: object, tally: Tally, folder: Path, end_to_end: int = _END_TO_END) -> None:
    """Ask for one input, and hold what comes of it against the promise."""
    start = time.process_time()
    try:
        problem = KINDS[kind][1](given_input, folder)
        problem.regression.describe()
        tally.taken += 1
        if tally.taken % end_to_end == 0:
            tally.fitted += 1
            str(compare(problem, "exact", Settings(smoke=True, timeout=60.0)))
    except BayescoreError as error:
        tally.refused += 1
        tally.reasons[printable(str(error))[:40]] += 1
        assert "\n" not in str(error), error
    spent = time.process_time() - start
    tally.slowest = max(tally.slowest, spent)
    assert spent < LIMIT, f"{spent:.1f} s"


def run(kind: str, inputs: int, seed: int) -> Tally:
    """Look at so many inputs of a kind."""
    tally = Tally()
    strategy, _ = KINDS[kind]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        TABLE.to_csv(folder / "table.csv", index=False)

        @with_seed(seed)
        @settings(
            max_examples=inputs,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @given(strategy)
        def ask(given_input: object) -> None:
            look(kind, given_input, tally, folder)

        ask()
    return tally


def main() -> int:
    """Look at all kinds, and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.environ[loading.RESTRICT] = ""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", HypothesisWarning)  # of long inputs
    print("| kind | taken | refused | kinds of reasons | fitted | slowest [s] |\n|---|---|---|---|---|---|")
    for kind in options.kinds:
        tally = run(kind, options.inputs // len(options.kinds), options.seed)
        row = (kind, tally.taken, tally.refused, len(tally.reasons), tally.fitted, f"{tally.slowest:.2f}")
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
