"""No memory of a process that holds keys or data gets to disk as a core dump, or to another process of this user."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress
from typing import Final

PR_SET_DUMPABLE: Final = 4


def forbid_dumps() -> None:
    """Let this process, and what it forks, leave no core dump and be read by no debugger but root's (prctl(2)).

    What it executes begins anew, but for the limit. A core pattern that is a pipe knows no limit (core(5)), hence both.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0) if hard else (0, hard))
    with suppress(OSError, AttributeError):  # no Linux
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
