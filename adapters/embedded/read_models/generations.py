"""The read models' files in a data directory: one serves, named by `read-models.current`; a rebuild writes the next."""

from __future__ import annotations

import logging
import re
import sqlite3
from pathlib import Path

from adapters.embedded.database import UNREADABLE, reading_uri
from adapters.embedded.read_models.schema import STAMP
from adapters.host.files import write_whole

log = logging.getLogger(__name__)

NAME = re.compile(r"read-models-(\d+)\.db")
FILES = re.compile(r"(read-models-\d+\.db)(-wal|-shm|-journal)?")  # SQLite's own names beside a file


class Generations:
    """Read models are disposable: a file that another version of the projections wrote is left, and folded anew."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._pointer = self._folder / "read-models.current"

    def current(self) -> Path:
        """Return the file that serves, if today's projections wrote it, else a new one to be folded from the log."""
        named = self.named()
        if named is None and self._pointer.exists():
            log.warning("%s was garbled: read models are folded anew from the log", self._pointer)
        return named if named is not None and is_of_today(named) else self.fresh()

    def named(self) -> Path | None:
        """Return the file that the pointer names; None where there is none, or where it was garbled."""
        try:
            name = self._pointer.read_bytes().decode("ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return self._folder / name if NAME.fullmatch(name) else None

    def fresh(self) -> Path:
        """Return the name of a file that does not exist yet."""
        numbers = [int(found[1]) for path in self._folder.iterdir() if (found := NAME.match(path.name))]
        return self._folder / f"read-models-{max(numbers, default=0) + 1}.db"

    def make_current(self, path: Path) -> None:
        """Let this file serve from now on, also after a crash at any moment, and remove the others."""
        write_whole(self._pointer, path.name)
        for other in self._folder.iterdir():
            named = FILES.fullmatch(other.name)
            if named and named[1] != path.name and other.is_file():  # a folder is none that this class made
                other.unlink(missing_ok=True)


def is_of_today(path: Path, *, immutable: bool = False) -> bool:
    """Whether the file is there and of this version; a damaged one counts, so that `verify` finds it."""
    if not path.exists():
        return False
    try:
        connection = sqlite3.connect(reading_uri(path, immutable=immutable), uri=True)
    except UNREADABLE:
        return True
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0]) in (0, STAMP)
    except UNREADABLE:
        return True
    finally:
        connection.close()
