"""Functions and guides as bytes, for a process; what they refer to stays as it is."""

import io
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Remembers the attributes of what it pickles: some classes take their own away when they are pickled."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.attributes: list[tuple[Any, dict[str, Any]]] = []

    def reducer_override(self, obj: Any) -> Any:
        """As `cloudpickle` does."""
        if not isinstance(obj, type | FunctionType | ModuleType) and isinstance(getattr(obj, "__dict__", None), dict):
            self.attributes.append((obj, dict(vars(obj))))
        return super().reducer_override(obj)


def pickled(what: Any) -> tuple[bytes, str]:
    """The bytes of an object, and the class of what has lost attributes on the way, if something has.

    It gets them back, as a Pyro guide its model.
    """
    buffer = io.BytesIO()
    pickler = _Pickler(buffer)
    try:
        pickler.dump(what)
    finally:
        lost = [(obj, before) for obj, before in pickler.attributes if _taken(obj, before)]
        for obj, before in lost:
            vars(obj).update(before)
    return buffer.getvalue(), type(lost[0][0]).__name__ if lost else ""


def _taken(obj: Any, before: dict[str, Any]) -> bool:
    now = vars(obj)
    return any(value is not None and now.get(name) is None for name, value in before.items())
