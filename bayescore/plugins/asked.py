"""A process that loads one plugin, answers one question about it, and ends: see `bayescore.plugins.survey`."""

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

from bayescore.errors import PluginError, in_one_line
from bayescore.plugins import hook, survey
from bayescore.plugins.registry import Origin
from bayescore.system import processes


def answer(origin: Origin, about: "tuple[Any, ...] | None") -> Any:
    """What the plugin declares, or why its backend can't do something."""
    if about is None:
        declared = hook.declare(origin)
        if declared.failure is not None:
            raise PluginError(declared.failure)
        return survey.describe(declared)
    name, regression, method = about
    info = hook.backend(origin, name).info
    return info.limits(regression, info.read(method))


def main(folder: Path) -> None:
    """Answer the question that lies in a folder, there."""
    processes.end_with_parent(folder)
    given, about = pickle.loads((folder / "question").read_bytes())
    found: dict[str, Any] = {"failure": None}
    try:
        found["answer"] = answer(Origin(**given), about)
        text = json.dumps(found)
    except BaseException as error:  # a plugin's code: whatever it raises is the answer
        text = json.dumps({"failure": in_one_line(error)})
    (folder / "answer.unfinished").write_text(text)
    (folder / "answer.unfinished").rename(folder / "answer.json")
    os._exit(0)  # threads that the plugin started don't hold it up


if __name__ == "__main__":
    main(Path(sys.argv[1]))
