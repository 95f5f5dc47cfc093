"""Files of secrets: for their owner alone, written whole and durably; a process that holds one leaves no core dump."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from autolearn.errors import InvalidInputError

PR_SET_DUMPABLE: Final = 4
OTHERS: Final = 0o077


def write_secret(path: str | Path, text: str) -> None:
    """Write a new file of mode 0600, durably; raises FileExistsError.

    It appears whole: another process that starts at the same moment would else read a key that is still being written.
    """
    from tempfile import NamedTemporaryFile  # noqa: PLC0415 - a call only reads

    forbid_dumps()
    folder = Path(path).resolve().parent
    with NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=".secret-") as draft:
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
        os.link(draft.name, path)
    flush(folder)


def flush(path: Path) -> None:
    """Flush a file's bytes, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot flush folders
            raise
    finally:
        os.close(descriptor)


def read_secret(path: str | Path) -> str:
    """Return the text of such a file; raises FileNotFoundError, InvalidInputError where others can read it too."""
    forbid_dumps()
    with Path(path).open(encoding="utf-8") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & OTHERS:
            raise InvalidInputError(f"Others can read {path}: `chmod 600` it, and think about who has read it.")
        return file.read()


def forbid_dumps() -> None:
    """Let this process, and what it forks, leave no core dump and be read by no debugger but root's (prctl(2)).

    What it executes starts anew, but for the limit. A core pattern that is a pipe knows no limit (core(5)), hence both.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0) if hard else (0, hard))
    with suppress(OSError, AttributeError):  # no Linux
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
