"""The small language of settings: what is read, what is refused, what is written."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bayescore import methods, notation
from bayescore.errors import RequestError
from bayescore.model import distributions, families
from bayescore.notation import Call


@dataclass(frozen=True)
class Shape:
    width: float
    name: str = "box"
    round: bool = False


@pytest.mark.parametrize(
    "text, call",
    [
        ("svi", Call("svi")),
        (" svi ", Call("svi")),
        ("svi()", Call("svi")),
        ("f(1, -2.5, a)", Call("f", (1, -2.5, "a"))),
        ("f(a='b c', b=None, c=True)", Call("f", (), (("a", "b c"), ("b", None), ("c", True)))),
        ("f(g(1))", Call("f", (Call("g", (1,)),))),
    ],
)
def test_names_and_calls_are_read(text, call):
    assert notation.parse(text) == call


@pytest.mark.parametrize(
    "text",
    ["", "1", "'svi'", "a.b", "a.b()", "f(*x)", "f(**x)", "f(1 + 1)", "f(-True)", "f(x[0])", "f(lambda: 0)", "f(1j)",
     "f([1])", "f(b'x')", "f(", "a; b", "a = 1", "f(a=1)(2)", "(" * 5000, "f(\0)"],
)  # fmt: skip
def test_anything_else_is_refused_and_never_evaluated(text):
    with pytest.raises(RequestError, match="can't read"):
        notation.parse(text)


def test_construct_fills_in_by_position_and_by_name():
    known = {"Shape": Shape}
    assert notation.construct(notation.parse("Shape(2, round=True)"), known, "shape") == Shape(2, round=True)


@pytest.mark.parametrize(
    "text, message",
    [
        ("Shpae(1)", r"unknown shape 'Shpae'; did you mean 'Shape'\? \(known: Shape\)"),
        ("Shape(1, widht=2)", "no setting 'widht'; did you mean 'width'"),
        ("Shape(1, width=2)", "'width' is given twice"),
        ("Shape()", r"needs width: Shape\(width, name, round\)"),
        ("Shape(1, a, True, 4)", "at most 3 settings"),
    ],
)
def test_construct_says_what_is_wrong(text, message):
    with pytest.raises(RequestError, match=message):
        notation.construct(notation.parse(text), {"Shape": Shape}, "shape")


@given(width=st.floats(allow_nan=False, allow_infinity=False), name=st.text(), flag=...)
@example(1 / 3, "None", False)
@example(-0.1 - 0.2, "a, b", True)
def test_what_is_written_is_read_again(width: float, name: str, flag: bool):
    shape = Shape(width, name, flag)
    for defaults in (False, True):
        text = notation.write("Shape", shape, defaults=defaults)
        assert notation.construct(notation.parse(text), {"Shape": Shape}, "shape") == shape


def test_defaults_are_left_out_unless_asked_for():
    assert notation.write("Shape", Shape(1.5)) == "Shape(1.5)"
    assert notation.write("Shape", Shape(1.5), defaults=True) == "Shape(1.5, name=box, round=False)"


PRIORS = {"normal(0, 1)": "Normal(0, 1)", "NORMAL(LOC=0, Scale=1)": "Normal(0, 1)", "gaussian(0, 1)": "Normal(0, 1)",
          "student_t(3, 0, 1)": "StudentT(3, 0, 1)", "t(3, 0, 1)": "StudentT(3, 0, 1)", "flat()": "Flat()",
          "half_normal(2)": "HalfNormal(2)", "lkj(1)": "LKJ(1)",
          "Inverse_gamma(1, 2)": "InverseGamma(1, 2)"}  # fmt: skip
FAMILIES = {"normal": "Gaussian", "NORMAL(Sigma=2)": "Gaussian(sigma=2)", "t": "StudentT", "student_t": "StudentT",
            "negbinomial": "NegativeBinomial", "negative_binomial": "NegativeBinomial",
            "bernoulli(link=Probit)": "Bernoulli(link=probit)", "Bernoulli(PROBIT)": "Bernoulli(link=probit)",
            "gaussian(sigma=NONE)": "Gaussian"}  # fmt: skip
METHODS = {"NUTS": "nuts", "nuts(dense_mass=false)": "nuts(dense_mass=False)", "nuts(Chains=2)": "nuts(chains=2)",
           "SVI(guide=Full_Rank, BATCH_SIZE=none)": "svi(guide=full_rank)", "SVI(Tutorial)": "svi(tutorial)",
           "svi(batchsize=10)": "svi(batch_size=10)"}  # fmt: skip


@pytest.mark.parametrize(
    "parse, typed, meant",
    [
        *((distributions.parse, *pair) for pair in PRIORS.items()),
        *((families.parse, *pair) for pair in FAMILIES.items()),
        *((methods.parse, *pair) for pair in METHODS.items()),
    ],
)
def test_names_that_people_type_are_the_names_they_mean(parse, typed, meant):
    assert parse(typed) == parse(meant)


@pytest.mark.parametrize("text, value", [("inf", np.inf), ("-Inf", -np.inf), ("TRUE", True), ("false", False),
                                         ("None", None), ("infinity", np.inf)])  # fmt: skip
def test_constants_are_read_in_any_case(text, value):
    assert notation.parse(f"f({text}, a={text})") == Call("f", (value,), (("a", value),))


def test_an_infinite_scale_is_a_flat_prior_by_another_name():
    with pytest.raises(RequestError, match=r"scale must be finite, not inf; a flat prior is Flat\(\)"):
        distributions.parse("Normal(0, Inf)")


@pytest.mark.parametrize("kind", [families.FAMILIES, distributions.DISTRIBUTIONS, methods.METHODS])
def test_no_two_names_are_the_same_but_for_case_and_underscores(kind):
    assert len({name.lower().replace("_", "") for name in kind}) == len(kind)


@pytest.mark.parametrize("width, written", [(10.0, "10"), (0.1, "0.1"), (1e-300, "1e-300"), (1 / 3, repr(1 / 3))])
def test_a_number_has_as_few_digits_as_give_it_back(width, written):
    assert notation.write("Shape", Shape(width)) == f"Shape({written})"


@pytest.mark.parametrize("text", ["f(0x" + "f" * 5000 + ")", "f(" + "9" * 4000 + ")"], ids=["hexadecimal", "decimal"])
def test_a_number_of_a_thousand_digits_is_refused_in_a_short_line(text):
    with pytest.raises(RequestError, match="can't read") as caught:
        notation.parse(text)
    assert len(str(caught.value)) < 400
