"""A data directory that no backend has: its databases are read without leaving a trace there, or a lock, or a byte.

SQLite reads a file as it lies where it is told that nobody writes it. Where a write-ahead log lies beside it, it would
write into the folder, so both are copied to a private one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from adapters.host.directory_lock import holder
from adapters.host.files import open_regular, special_files
from domain.errors import NotAbleError

BESIDE: Final = ("", "-wal", "-shm", "-journal")  # what SQLite has beside a file
SMALL: Final = ("format.json", "read-models.current", "receipts.json", "credentials.json", "lock")


def is_resting(folder: Path, opened: ExitStack) -> bool:
    """Whether no backend has the directory; then none can take it until `opened` is closed."""
    if holder(folder) is not None:
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    opened.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that locks no folders
        return True
    return True


def as_it_lies(database: Path, opened: ExitStack) -> Path:
    """Return where a database can be read as a file that nobody writes; raises NotAbleError."""
    log = database.with_name(f"{database.name}-wal")
    try:
        if not log.exists() or not log.stat().st_size:
            return database
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="autolearn-")))  # mode 0700
        for path in (database, log):
            with open_regular(path) as source, (folder / path.name).open("xb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
    except OSError as error:
        raise NotAbleError(f"{database.name} cannot be copied to be read: {error.strerror or error}.") from error
    return folder / database.name


def strange_files(folder: Path, key_file: Path) -> Iterator[str]:
    """Say which files of a data directory are no plain ones: nothing may open them."""
    names = [path.name for path in folder.iterdir() if path.name.startswith("read-models-")]
    for name in ("events.db", "communications.db"):
        names += [name + ending for ending in BESIDE]
    yield from special_files(folder / name for name in sorted({*names, *SMALL} - {key_file.name}))
    key = key_file.resolve()  # secrets are mounted as links
    yield from (what.replace(str(key), str(key_file)) for what in special_files([key]))
