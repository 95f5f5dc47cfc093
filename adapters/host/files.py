"""Files that are on disk when a function returns, and regular files told from what else may stand in their place."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from autolearn.secret_files import flush

SPECIAL: Final = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
READING: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def write_whole(path: Path, text: str) -> None:
    """Write or replace a file atomically and durably, readable by this user alone; it follows no link."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with draft.open("x", encoding="utf-8") as file:
        file.write(text)
    flush(draft)
    draft.replace(path)
    flush(path.parent)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; raises OSError for anything else, and never waits for a FIFO's other end."""
    check_regular(path)
    descriptor = os.open(path, READING)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged since the check
        os.close(descriptor)
        check_regular(path)
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return BufferedReader(os.fdopen(descriptor, "rb", buffering=0))


def check_regular(path: Path) -> None:
    """Raise OSError for what is missing or not a regular file."""
    mode = path.lstat().st_mode
    for is_kind, name in SPECIAL:
        if is_kind(mode):
            raise OSError(errno.EINVAL, f"it is {name}, not a plain file", str(path))


def special_files(paths: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence for each path at which something other than a regular file stands."""
    for path in paths:
        try:
            check_regular(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{path} cannot be read: {error.strerror}."
