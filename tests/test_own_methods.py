"""Methods that a plugin brings: what their classes may say, and what arrives where the plugin is not loaded."""

import copy
import itertools
import json
import pickle
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pytest

from bayescore import methods
from bayescore.agreement.health import examine
from bayescore.backend import Backend, BackendInfo, Fit
from bayescore.contract.checked import Checked
from bayescore.errors import BackendContractError, PluginError, RequestError
from bayescore.methods import NUTS, SVI, Method, choice, flag, positive, share, whole
from bayescore.model.posterior import label
from bayescore.plugins import hook
from bayescore.tables import problem

TOY = problem.toy()


@dataclass(frozen=True)
class Slice(Method):
    """A setting of every sort."""

    name = "slice"
    kinds = ("chains",)
    standard = "chains"
    chains: int = whole(4, most=1000)
    draws: int = whole(500, smoke=2)
    thin: int | None = whole(None, none=True)
    width: float = positive(1.0)
    overlap: float = share(0.5)
    doubling: bool = flag(True)
    order: str = choice("fixed", "fixed", "random")


@dataclass(frozen=True)
class Guided(Method):
    """Whose guide's family is a setting, which only its own process can know."""

    name = "guided"
    kinds = ("guide",)
    standard = "iterates"
    draws: int = whole(100)
    guide: str = choice("mean_field", "mean_field", "full_rank")

    @property
    def guide_family(self):
        return "diagonal" if self.guide == "mean_field" else "full_rank"


def info(*own, name="mine", **more):
    supports = frozenset({
        "method:svi", "family:Gaussian", "link:identity", "prior:coefficient:Normal", "precision:float64",
        *(f"method:{cls.name}" for cls in own if hasattr(cls, "name")),
    })  # fmt: skip
    return BackendInfo(name, lambda precision: None, supports, methods=own, **more)


def arrived(cls):
    """The class that the parent has, by way of JSON."""
    return methods.method_of(methods.read(json.loads(json.dumps(asdict(methods.describe(cls))))))


def test_what_arrives_says_what_the_class_says():
    there, here = Slice(thin=3), arrived(Slice)(thin=3)
    assert str(here) == str(there) == "slice(thin=3)"
    for said in (
        "kinds",
        "standard",
        "estimand",
        "guide_family",
        "optimum",
        "averaged",
        "begins",
        "requirements",
        "shape",
    ):
        assert getattr(here, said) == getattr(there, said), said
    assert list(here.needs(3, 10, 1)) == list(there.needs(3, 10, 1))
    assert here.smoke() == arrived(Slice)(thin=3, draws=2)
    assert (here.requirements, here.shape) == ({"method:slice"}, (4, 500))


@pytest.mark.parametrize(
    "text, message",
    [
        ("slice(draws=0)", "draws must be a whole number of at least 1"),
        ("slice(chains=2000)", "chains must be at most 1000"),
        ("slice(width=-1.0)", "width must be a positive number"),
        ("slice(overlap=1.0)", "overlap must be a number between 0 and 1"),
        ("slice(doubling=1)", "doubling must be True or False"),
        ("slice(order=odd)", "order must be one of fixed, random"),
        ("slice(with=1)", "can't read"),
        ("slice(wide=1)", "no setting 'wide'; did you mean 'width'"),
    ],
)
@pytest.mark.parametrize("cls", [Slice, arrived(Slice)], ids=["there", "here"])
def test_both_refuse_the_same_settings(cls, text, message):
    with pytest.raises(RequestError, match=message):
        methods.parse(text, [cls])


def test_it_is_read_written_and_read_again_and_comes_back_in_its_own_class():
    here = methods.parse("slice(width=0.25, order=random, thin=None)", [arrived(Slice)])
    assert methods.parse(str(here), [arrived(Slice)]) == here
    there = methods.parse(here, [Slice])
    assert there == Slice(width=0.25, order="random")
    assert methods.parse(there, [Slice]) is there
    assert methods.parse(here, [arrived(Slice)]) is here


def test_it_travels_to_a_process_that_has_not_got_its_plugin(tmp_path):
    path = tmp_path / "method"
    path.write_bytes(pickle.dumps(arrived(Slice)(draws=7)))
    code = "import pickle, sys; print(pickle.loads(open(sys.argv[1], 'rb').read()))"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "slice(draws=7)"
    assert pickle.loads(path.read_bytes()) == arrived(Slice)(draws=7)


def test_what_a_method_says_is_the_same_for_all_its_settings():
    here = arrived(Guided)(draws=50)
    assert methods.parse(here, [Guided]) == Guided(draws=50)
    with pytest.raises(PluginError, match=r"guided\(guide=full_rank\) has another guide_family than it has by default"):
        methods.parse(arrived(Guided)(guide="full_rank"), [Guided])


def test_a_backend_reads_its_own_methods_and_the_cores():
    mine = info(Slice, default_method="slice(draws=10)")
    hook.check(mine)
    assert mine.read(mine.default_method) == Slice(draws=10)
    assert mine.read("svi") == SVI()
    assert mine.read(NUTS()) == NUTS()
    with pytest.raises(RequestError, match=r"unknown method 'slide'; did you mean 'slice'"):
        mine.read("slide")


def own(bases=(Method,), frozen=True, **namespace):
    annotations = {key: object for key, value in namespace.items() if hasattr(value, "metadata")}
    given = {"name": "own", "kinds": ("chains",), "standard": "chains"} | namespace | {"__annotations__": annotations}
    return dataclass(frozen=frozen)(type("Own", bases, {key: v for key, v in given.items() if v is not None}))


class Undecorated(Method):
    name = "undecorated"
    kinds = ("chains",)
    step: float = positive(0.1)


WRONG = {
    "no class": ("metropolis", "'metropolis' is no class of bayescore.methods.Method with a name"),
    "another class": (dict, "is no class of bayescore.methods.Method with a name"),
    "no name": (own(name=None), "is no class of bayescore.methods.Method with a name"),
    "an odd name": (own(name="My Method"), "the name 'My Method' is not made of a-z, 0-9 and _"),
    "no dataclass": (Undecorated, "'undecorated' is no frozen dataclass"),
    "the core's name": (own(name="nuts"), "brings a method 'nuts', and that name is taken"),
    "the core's name but for an underscore": (own(name="n_uts"), "brings a method 'n_uts', and that name is taken"),
    "no kinds": (own(kinds=()), "are not all of a posterior"),
    "mixed kinds": (own(kinds=("chains", "map")), "are not all of a posterior"),
    "unknown kinds": (own(kinds=("chain",)), "Invalid enum value 'chain'"),
    "a kind for kinds": (own(kinds="chains"), "Expected `array`"),
    "unknown standard": (own(standard="mine"), "Invalid enum value 'mine'"),
    "chains that can't fail": (own(standard="construction"), "chains are judged as chains, not by 'construction'"),
    "an unknown family": (own(guide_family="gaussian"), "Invalid enum value 'gaussian'"),
    "a setting that says nothing": (own(step=field(default=0.1)), "'step' doesn't say what it can be"),
    "no default": (own(step=field(metadata=whole(1).metadata)), "can't be made with its defaults: TypeError"),
    "a wrong default": (own(step=positive(-1.0)), "can't be made with its defaults"),
    "a taken name": (own(smoke=whole(3)), "the setting 'smoke' has a name that is taken"),
    "a name too like another": (own(ab=whole(3), a_b=whole(3)), "the setting 'ab' has a name that is taken"),
    "a word of Python's": (own(name="lambda"), "the name 'lambda' is a word of Python's"),
    "a private name": (own(_step=whole(3)), "the name '_step' is not made of"),
    "a choice in capitals": (own(order=choice("A", "A")), "can be 'A', which is not made of"),
    "an object by default": (own(order=choice(print, "a", function=True)), "can't be written"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_class_that_cant_be_used_is_refused_with_a_reason(what):
    cls, message = WRONG[what]
    with pytest.raises(PluginError) as raised:
        hook.check(info(cls))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_class_that_nothing_is_wrong_with_is_not():
    hook.check(info(own(step=positive(0.1))))
    hook.check(info(Slice, Guided))
    with pytest.raises(PluginError, match="a method 'slice', and that name is taken"):
        hook.check(info(Slice, Slice))
    with pytest.raises(PluginError, match="which is not settings classes"):
        hook.check(replace(info(), methods=Slice))


JUNK = [
    None, True, 0, -1, 10**30, 0.5, float("nan"), float("inf"), "", "x;y", "\n", "é", "__init__", "class", "name",
    "draws", "dra_ws", "chains", "unknown", "map", [], {}, ["a"], [["a"]], {"a": 1},
]  # fmt: skip
GOOD = json.loads(json.dumps(asdict(methods.describe(Slice))))


def _places(at, place=()):
    yield place
    for key, value in at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ():
        yield from _places(value, (*place, key))


def test_whatever_a_plugin_answers_is_a_method_or_refused():
    """Nothing else is raised where it is read, and what is made can be written and read."""
    refused = 0
    for place, junk in itertools.product(_places(GOOD), JUNK):
        outer = [copy.deepcopy(GOOD)]
        *way, last = 0, *place
        at = outer
        for key in way:
            at = at[key]
        at[last] = junk
        try:
            made = methods.method_of(methods.read(outer[0]))()
        except PluginError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert methods.parse(str(made), [type(made)]) == made
    assert refused > 1000


@dataclass(frozen=True)
class Analytic(Method):
    """Independent draws, of which nothing is said."""

    name = "analytic"
    kinds = ("independent",)
    draws: int = whole(4000)


@dataclass(frozen=True)
class Proved(Analytic):
    name = "proved"
    standard = "construction"


def independent(chains=1):
    values = np.random.default_rng(0).normal(size=(chains, 4000 // chains, 2))
    return label(TOY.regression, {"intercept": values[..., 0], "beta": values[..., 1:]}, kind="independent")


@pytest.mark.parametrize("cls, texts", [
    (Analytic, ["nobody knows by what a fit with analytic is seen to have converged"]),
    (Proved, []),
    (Guided, ["the guide's iterates are not known, so convergence can't be judged"]),
    (Slice, ["1 chains, and R-hat needs 4"]),
])  # fmt: skip
def test_a_fit_is_judged_by_the_standard_that_its_class_names(cls, texts):
    """Where the plugin is not loaded; a class that names none is never healthy."""
    health = examine(arrived(cls)(), independent(), {})
    assert [ailment.text for ailment in health.ailments] == texts


class Engine(Backend):
    """Takes down the methods that it is given."""

    def __init__(self):
        self.given = []

    def build_data(self, regression, data):
        return data

    def fit(self, regression, data, method, *, seed, progress=None):
        self.given.append(method)
        return Fit(regression, method, None)

    def sample_posterior(self, fit, *, seed):
        return independent()


def test_a_backend_is_given_its_own_class():
    asked = []
    backend = Checked(Engine(), info(Proved, Guided, limits=lambda regression, method: asked.append(method)))
    fit = backend.fit(TOY.regression, TOY.data, arrived(Proved)(), seed=0)
    assert asked == backend.backend.given == [Proved()]
    assert backend.sample_posterior(fit, seed=0).kind == "independent"
    with pytest.raises(PluginError, match="another guide_family than it has by default"):
        backend.fit(TOY.regression, TOY.data, arrived(Guided)(guide="full_rank"), seed=0)


def test_as_many_draws_come_as_its_settings_say():
    backend = Checked(Engine(), info(Proved))
    fit = backend.fit(TOY.regression, TOY.data, "proved(draws=4001)", seed=0)
    with pytest.raises(BackendContractError, match="expected 4001 draws"):
        backend.sample_posterior(fit, seed=0)
