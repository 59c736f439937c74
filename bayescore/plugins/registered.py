"""A registered backend, ready to be called."""

from typing import get_args

from bayescore.backend import Precision
from bayescore.contract.checked import Checked
from bayescore.errors import RequestError, check_is
from bayescore.plugins import hook, loading
from bayescore.plugins.distributions import shipped
from bayescore.printable import shown


def get_backend(name: str, precision: Precision = "float64") -> Checked:
    """Make the backend of this name, its calls checked and timed.

    Raises
    ------
    RequestError
        There is none of this name.
    MissingLibraryError, PluginError
        It can't be used here.
    """
    check_is(name, str, "a backend is named by a text, as 'pyro'")
    if not isinstance(precision, str) or precision not in get_args(Precision):
        raise RequestError(f"precision must be float64 or float32, not {shown(precision)}")
    registered = loading.load()[name]
    if registered.origin.distribution not in shipped():
        registered = hook.backend(registered.origin, name)  # with its own classes, which lie in its plugin
    return Checked(registered.make(precision), registered.info, precision)
