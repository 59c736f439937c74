"""A method as data: what a plugin's own says of itself, to be read and judged where the plugin is not loaded."""

import re
from dataclasses import asdict, dataclass, field, fields, make_dataclass
from functools import lru_cache
from keyword import iskeyword
from typing import Any, ClassVar, get_type_hints

import msgspec

from bayescore import notation
from bayescore.errors import PluginError, in_one_line
from bayescore.methods.method import Beginning, GuideFamily, Kind, Method, Optimum, Standard
from bayescore.methods.settings import Values
from bayescore.printable import shown

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Setting:
    """A setting: its name, its default, what else it can be, and what it is where only the plumbing is tried out."""

    name: str
    default: bool | int | float | str | None
    values: Values
    smoke: int | None = None


@dataclass(frozen=True)
class Description:
    """What a method's class and its settings say, each by the name that `Method` gives it.

    Raises
    ------
    PluginError
        It contradicts itself, or can't be written and read.
    """

    name: str
    kinds: tuple[Kind, ...]
    standard: Standard
    guide_family: GuideFamily
    optimum: Optimum
    averaged: bool
    begins: Beginning
    requirements: tuple[str, ...]
    settings: tuple[Setting, ...]

    def __post_init__(self) -> None:
        names = [setting.name for setting in self.settings]
        for name in [self.name, *names]:
            if not _NAME.fullmatch(name) or iskeyword(name):
                wrong = "is a word of Python's" if iskeyword(name) else "is not made of a-z, 0-9 and _"
                raise PluginError(f"its method {self.name!r}: the name {name!r} {wrong}")
        for setting in self.settings:
            alike = [name for name in names if notation.meant(name, [setting.name]) == setting.name]
            of_all = {*dir(_Described), *get_type_hints(_Described)}
            self._check(setting, taken=setting.name in of_all or len(alike) > 1)
        if len({kind in {"mle", "map"} for kind in self.kinds}) != 1:
            raise PluginError(
                f"its method {self.name!r}: kinds {self.kinds} are not all of a posterior, nor all a point"
            )
        if "chains" in self.kinds and self.standard not in {"chains", "unknown"}:
            raise PluginError(f"its method {self.name!r}: chains are judged as chains, not by {self.standard!r}")

    def _check(self, setting: Setting, *, taken: bool) -> None:
        of = f"its method {self.name!r}: the setting {setting.name!r}"
        if taken:
            raise PluginError(f"{of} has a name that is taken")
        odd = [word for word in setting.values.choices if not _NAME.fullmatch(word)]
        if odd:
            raise PluginError(f"{of} can be {odd[0]!r}, which is not made of a-z, 0-9 and _")
        wanted = setting.values.wanted_for(setting.default)
        if wanted is not None:
            raise PluginError(f"{of} is by default {setting.default!r}, and must be {wanted}")


class _Described(Method):
    """A method that says what its description does."""

    description: ClassVar[Description]

    @property
    def guide_family(self) -> GuideFamily:
        return self.description.guide_family

    @property
    def optimum(self) -> Optimum:
        return self.description.optimum

    @property
    def averaged(self) -> bool:
        return self.description.averaged

    @property
    def begins(self) -> Beginning:
        return self.description.begins

    @property
    def requirements(self) -> frozenset[str]:
        return frozenset(self.description.requirements)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self.description, dict(vars(self)))


@lru_cache(maxsize=64)
def method_of(description: Description) -> type[Method]:
    """The class of a method that is known by its description alone."""
    described: type[Method] = make_dataclass(
        description.name,
        [
            (s.name, Any, field(default=s.default, metadata={"values": s.values, "smoke": s.smoke}))
            for s in description.settings
        ],
        bases=(_Described,),
        namespace={
            "name": description.name,
            "kinds": description.kinds,
            "standard": description.standard,
            "description": description,
        },
        frozen=True,
    )
    return described


def _made(description: Description, settings: dict[str, Any]) -> Method:
    return method_of(description)(**settings)


def describe(cls: object) -> Description:
    """What a settings class says of its method.

    Raises
    ------
    PluginError
        It can't be used, or says something that can't be meant.
    """
    if not (isinstance(cls, type) and issubclass(cls, Method) and isinstance(getattr(cls, "name", None), str)):
        raise PluginError(f"its method {cls!r} is no class of bayescore.methods.Method with a name")
    if "__dataclass_fields__" not in vars(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise PluginError(f"its method {cls.name!r} is no frozen dataclass")
    unsaid = [setting.name for setting in fields(cls) if "values" not in setting.metadata]
    if unsaid:
        how = f"as in {unsaid[0]}: float = positive(0.1), or another of bayescore.methods.settings"
        raise PluginError(
            f"its method {cls.name!r}: the setting {unsaid[0]!r} doesn't say what it can be: say it {how}"
        )
    try:
        method = cls()
    except Exception as error:  # a plugin's code
        raise PluginError(f"its method {cls.name!r} can't be made with its defaults: {in_one_line(error)}") from error
    return said_by(method)


def said_by(method: Method) -> Description:
    """What a method says of itself with its settings."""
    if isinstance(method, _Described):
        return method.description
    said: dict[str, Any] = {name: getattr(method, name, None) for name in get_type_hints(Description)}
    said["requirements"] = tuple(sorted(method.requirements))
    said["settings"] = [
        {"name": s.name, "default": s.default, "values": s.metadata["values"], "smoke": s.metadata.get("smoke")}
        for s in fields(method)
    ]
    try:
        given = msgspec.to_builtins(said)
    except TypeError as error:
        raise PluginError(f"its method {method.name!r} says what can't be written: {error}") from error
    return read(given)


def read(given: object) -> Description:
    """A description that came as JSON.

    Raises
    ------
    PluginError
        It is none.
    """
    try:
        return msgspec.convert(given, Description)
    except msgspec.ValidationError as error:
        name = given.get("name") if isinstance(given, dict) else None
        raise PluginError(f"its method {shown(name)} says what none can say: {error}") from error


def in_class_of(method: Method, cls: type[Method]) -> Method:
    """A method in the class that its plugin has for it.

    Raises
    ------
    PluginError
        With these settings it says of itself what it does not say with its defaults.
    """
    if isinstance(method, cls):
        return method
    own = cls(**{setting.name: getattr(method, setting.name) for setting in fields(method)})
    before, now = asdict(said_by(method)), asdict(said_by(own))
    other = [what for what, said in now.items() if said != before[what]]
    if other:
        raise PluginError(
            f"its method {own} has another {other[0]} than it has by default: what a method says of itself must be the "
            "same for all its settings"
        )
    return own
