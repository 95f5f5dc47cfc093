"""Processes of ours: how they are started, and what the system has no more of."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from domain.errors import NotAbleError

IMPORT_PATH: Final = "PYTHONPATH"
PR_SET_PDEATHSIG: Final = 1  # prctl(2)
SAFE_PATH: Final = "PYTHONSAFEPATH"  # Python's `-P`, inherited by the processes that a process of ours starts
RESOURCES: Final = {
    errno.EAGAIN: "processes or threads",
    errno.EMFILE: "file descriptors",
    errno.ENFILE: "file descriptors",
    errno.ENOMEM: "memory",
    errno.ENOBUFS: "memory",
}


def set_parent_death_signal(number: int) -> None:
    """Let the kernel send this process a signal once the thread that started it has ended; 0 takes that back.

    If that thread has ended already, nothing is sent: look at `os.getppid()` afterwards.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours, without the working directory on the import path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose import path does not depend on the working directory."""
    kept = {name: value for name, value in environment.items() if name != IMPORT_PATH}
    path = absolute_folders(environment.get(IMPORT_PATH, ""))
    return kept | {SAFE_PATH: "1"} | ({IMPORT_PATH: path} if path else {})


def absolute_folders(path: str) -> str:
    """Return a PYTHONPATH without its relative folders; an empty entry means the working directory, like `.`."""
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder).is_absolute())


def resource_exhaustion(error: BaseException) -> NotAbleError | None:
    """Return the refusal for an error that says the system ran out of something; None for any other error."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(resource_exhaustion, error.exceptions)), None)
    what = None
    if isinstance(error, OSError):
        what = RESOURCES.get(error.errno or 0)
    elif isinstance(error, MemoryError):
        what = "memory"
    elif isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        what = "threads"
    return NotAbleError(f"The backend is out of {what}: repeat the call in a moment.") if what else None
