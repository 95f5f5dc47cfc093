"""The read models' files in a data directory: one serves, named by `read-models.current`; a rebuild writes the next."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from adapters.embedded.database import UNREADABLE, reading_uri
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.schema import LAYOUT
from adapters.host.files import write_whole
from adapters.host.retry import Retry
from projections.fold import VERSIONS

logger = logging.getLogger(__name__)

NAME = re.compile(r"read-models-(\d+)\.db")
LOOKS: Final = Retry(limit=5, shortest=0.2, longest=0.4)  # a rebuild exchanges file and pointer one after the other
FILES = re.compile(r"(read-models-\d+\.db)(-wal|-shm|-journal)?")  # SQLite's own names beside a file


class Generations:
    """Read models are disposable: a file of another layout is left, and all is folded anew into a new one.

    A projection of another version is folded anew in the file that serves, or beside it by a rebuild.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._pointer = self._folder / "read-models.current"

    def current(self) -> Path:
        """Return the file that serves, if it has today's layout, else a new one to be folded from the log."""
        named = self.named()
        if named is None and self._pointer.exists():
            logger.warning("%s was garbled: read models are folded anew from the log", self._pointer)
        return named if named is not None and has_layout(named) else self.fresh()

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

    def discard_unserved(self, path: Path) -> None:
        """Remove a file that does not serve, as after a start that was refused; it must be closed."""
        if self.named() != path:
            path.unlink(missing_ok=True)

    def make_current(self, path: Path) -> None:
        """Let this file serve from now on, also after a crash at any moment, and remove the others."""
        write_whole(self._pointer, path.name)
        for other in self._folder.iterdir():
            named = FILES.fullmatch(other.name)
            if named and named[1] != path.name and other.is_file():  # this class makes no folders
                other.unlink(missing_ok=True)


def has_layout(path: Path, *, immutable: bool = False) -> bool:
    """Tell whether the file is there and of today's layout; a damaged one counts, so that `verify` finds it."""
    return path.exists() and _of_readable(
        path, "PRAGMA user_version", lambda rows: rows[0][0] in (0, LAYOUT), immutable
    )


def is_outdated(path: Path, *, immutable: bool = False) -> bool:
    """Tell whether an older version wrote the file, or a part of it: the next start folds that anew."""
    versions = "SELECT projection, version FROM progress"
    return not (has_layout(path, immutable=immutable) and _of_readable(path, versions, _are_current, immutable))


def _are_current(rows: list[Any]) -> bool:
    """Tell whether no projection is of an older version; versions that no program wrote are for `verify` to tell."""
    stored = dict(rows)
    return stored == VERSIONS or not all(0 < it <= VERSIONS.get(name, 0) for name, it in stored.items())


def _of_readable(path: Path, query: str, check: Callable[[list[Any]], bool], immutable: bool) -> bool:
    try:
        with closing(sqlite3.connect(reading_uri(path, immutable=immutable), uri=True)) as connection:
            return check(connection.execute(query).fetchall())
    except UNREADABLE:
        return True


def served_faults(folder: Path, read: ReadDatabase) -> list[str]:
    """Return why `read-models.current` does not lead to the file being served; repairs nothing."""
    for _ in LOOKS.attempts():
        found = _found(folder, read)
        if not found:
            break
    return found


def _found(folder: Path, read: ReadDatabase) -> list[str]:
    serving, named = Path(read.path), Generations(folder).named()
    if not read.is_in_place():
        return [f"{serving.name} was removed or replaced while it was served, and is not what is checked: rebuild it"]
    if named is None or named.name != serving.name:
        return [f"read-models.current does not name {serving.name}, which is served, and so not checked: rebuild it"]
    return []
