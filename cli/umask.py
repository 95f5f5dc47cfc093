"""The umask: what this program writes is the user's alone, but for files that the user asked for by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o077
EVERYBODY: Final = 0o666
_USERS: Final = ContextVar("umask", default=PRIVATE)


@contextmanager
def private_files() -> Iterator[None]:
    """Make files and folders for this user alone meanwhile, whatever umask the shell has."""
    users = os.umask(PRIVATE)
    before = _USERS.set(users)
    try:
        yield
    finally:
        _USERS.reset(before)
        os.umask(users)


def give_users_mode(file: Path) -> None:
    """Let a file have the mode that it would have had from any other program of the user."""
    file.chmod(EVERYBODY & ~_USERS.get())
