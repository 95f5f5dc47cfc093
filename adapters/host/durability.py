"""Files that are on disk, under their names, when a function returns: what a loss of power does not take back."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def flush(path: Path) -> None:
    """Flush a file's bytes, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot flush folders
            raise
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str) -> None:
    """Write or replace a file of this user alone, whole or not at all; through no link."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with draft.open("x", encoding="utf-8") as file:
        file.write(text)
    flush(draft)
    draft.replace(path)
    flush(path.parent)
