"""The read models that their suites run over; a new adapter joins by one more line in `READ_MODELS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.documents import EmbeddedDocuments
from adapters.embedded.history import EmbeddedHistory
from adapters.embedded.read_database import ReadDatabase
from projections.ports import Documents, History


@dataclass
class Read:
    """Documents and history of one store."""

    documents: Documents
    history: History
    close: Callable[[], None]


def sqlite_read(path: Path | str) -> Read:
    database = ReadDatabase(path)
    return Read(EmbeddedDocuments(database), EmbeddedHistory(database), database.close)


READ_MODELS: dict[str, Callable[[Path], Read]] = {
    "sqlite": lambda folder: sqlite_read(folder / "read.db"),
    "sqlite-memory": lambda _: sqlite_read(":memory:"),
}
