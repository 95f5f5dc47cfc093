"""Reading a data directory that no backend owns: without a trace there, a lock, or a changed byte.

SQLite can read a file as immutable. Where a write-ahead log lies beside it, it would write into the folder, so both
files are copied to a private one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.host.directory_lock import holder
from adapters.host.files import open_regular
from domain.errors import NotAbleError


def keep_unowned(folder: Path, opened: ExitStack) -> bool:
    """Tell whether no backend owns the directory; then none can take it until `opened` is closed."""
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


def readable_copy(database: Path, opened: ExitStack) -> Path:
    """Return where a database can be read as immutable: itself, or a private copy; raises NotAbleError."""
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
