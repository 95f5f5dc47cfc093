"""How processes of ours are started: with this Python, and never with code of the folder that they are started in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

IMPORT_PATH = "PYTHONPATH"
SAFE_PATH = "PYTHONSAFEPATH"  # Python's `-P` for what a process of ours starts itself


def own_python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours."""
    return [sys.executable, "-P", "-m", module, *arguments]


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which no folder is found by where a process happens to be started."""
    kept = {name: value for name, value in environment.items() if name != IMPORT_PATH}
    path = absolute(environment.get(IMPORT_PATH, ""))
    return kept | {SAFE_PATH: "1"} | ({IMPORT_PATH: path} if path else {})


def absolute(path: str) -> str:
    """Return the absolute folders of a PYTHONPATH: an empty entry is the working directory, as `.` is."""
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder).is_absolute())
