"""A registered backend, ready to be called."""

from bayescore import plugins
from bayescore.backend import Precision
from bayescore.contract import Checked


def get_backend(name: str, precision: Precision = "float64") -> Checked:
    """Make the backend of this name, its calls checked and timed.

    Raises
    ------
    RequestError
        There is none of this name.
    MissingLibraryError, PluginError
        It can't be used here.
    """
    registered = plugins.load()[name]
    return Checked(registered.make(precision), registered.info)
