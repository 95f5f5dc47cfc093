"""Plain files, opened so that a FIFO, a device or a link in their place neither holds a process up nor misleads it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

KINDS: Final = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
READING: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def opened_plain(path: Path) -> BinaryIO:
    """Open for reading; raises OSError, also for what is no plain file: it does not wait for a FIFO's other end."""
    check_plain(path)
    descriptor = os.open(path, READING)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it came there since
        os.close(descriptor)
        check_plain(path)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return BufferedReader(os.fdopen(descriptor, "rb", buffering=0))


def check_plain(path: Path) -> None:
    """Raise OSError for what is not there or no plain file."""
    mode = path.lstat().st_mode
    for is_kind, name in KINDS:
        if is_kind(mode):
            raise OSError(errno.EINVAL, f"it is {name}, no plain file", str(path))


def not_plain(paths: Iterable[Path]) -> Iterator[str]:
    """Say of each path that is there and no plain file what it is."""
    for path in paths:
        try:
            check_plain(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{path} cannot be read: {error.strerror}."
