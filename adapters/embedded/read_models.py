"""The read models of a data directory: opened at start, rebuilt beside themselves, exchanged while they serve."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from adapters.embedded.documents import EmbeddedDocuments
from adapters.embedded.history import EmbeddedHistory
from adapters.embedded.read_database import ReadDatabase
from adapters.embedded.read_files import ReadFiles
from domain.errors import BadInputError, NotAbleError
from projections.ports import Feed
from projections.rebuild import rebuild
from projections.runner import Runner

REBUILD_CACHE_KIB = 64_000


class ReadModels:
    """Documents and history of the folder's current file. `read_only`: another process's, e.g. for verify."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._files = ReadFiles(folder)
        current = self._files.current()
        if current is None and read_only:
            raise NotAbleError(f"There are no read models of this version in {folder}: start the backend once.")
        self.database = ReadDatabase(current or self._files.fresh(), read_only=read_only)
        self.documents = EmbeddedDocuments(self.database)
        self.history = EmbeddedHistory(self.database)

    def adopt(self, name: str, runner: Runner) -> Future[None]:
        """Go on with a rebuilt file (the name that `rebuild_beside` gave), brought up to date between two batches."""
        path = self._files.folder / name
        if Path(name).name != name or not path.exists():
            raise BadInputError(f"There is no rebuilt file {name!r}.")
        fresh = ReadDatabase(path)

        def switch() -> None:
            old = Path(self.database.path)
            fresh.close()
            self._files.point_to(path)
            self.database.switch(path)
            self._files.delete(old)

        adopted = runner.adopt(EmbeddedDocuments(fresh), switch)
        adopted.add_done_callback(lambda _: fresh.close())
        return adopted

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def open_read_models(folder: Path, feed: Feed) -> ReadModels:
    """Open for serving. Missing, of another version, unreadable or ahead of the log, they are rebuilt first."""
    files = ReadFiles(folder)
    current = files.current()
    if current is None or not _is_usable(current, feed):
        *_, built = rebuild_beside(folder, feed)
        files.point_to(folder / built["file"])
    files.sweep()
    return ReadModels(folder)


def rebuild_beside(folder: Path, feed: Feed) -> Iterator[dict[str, Any]]:
    """Fold the log as it is now into a fresh file. Yields progress, last `{file, position}`; may run in any process."""
    path = ReadFiles(folder).fresh()
    database = ReadDatabase(path, cache_kib=REBUILD_CACHE_KIB)
    try:
        documents = EmbeddedDocuments(database)
        until, _ = feed.head()
        yield from rebuild(feed, documents, until)
        position = documents.position()
    finally:
        database.close()
    yield {"file": path.name, "position": position}


def _is_usable(path: Path, feed: Feed) -> bool:
    """Whether a file can be read and is not ahead of the log (which was brought back from an older copy)."""
    try:
        database = ReadDatabase(path)
    except NotAbleError:
        return False
    try:
        return EmbeddedDocuments(database).position() <= feed.head()[0]
    except NotAbleError:
        return False
    finally:
        database.close()
