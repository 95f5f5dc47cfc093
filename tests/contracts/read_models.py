"""The read models that their suites run over; a new adapter joins by one more class in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import STATE, ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.history_scans import MongoRows
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.history import SqliteHistory
from adapters.embedded.read_models.history_scans import SqliteRows
from projections.fold import VERSIONS
from projections.ports import Documents, History


@dataclass
class Read:
    """Documents and history of one store."""

    documents: Documents
    history: History
    close: Callable[[], None]


class Sqlite:
    """SQLite, a file or in memory."""

    share = 1.0  # of a property test's examples
    rows = SqliteRows

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @contextmanager
    def empty(self) -> Iterator[Read]:
        """Open empty read models."""
        database = ReadDatabase(self._folder / f"{uuid4().hex}.db" if self._folder else ":memory:")
        yield Read(SqliteDocuments(database), SqliteHistory(database), database.close)
        database.close()


class MongoStore:
    """A database of its own, with one generation that is emptied for each example: indexes take their time."""

    share = 0.25
    rows = MongoRows

    def __init__(self, uri: str) -> None:
        self.mongo = Mongo(uri, f"test-{uuid4().hex[:12]}")
        self.read = ReadModels.ensure(self.mongo)

    @contextmanager
    def empty(self) -> Iterator[Read]:
        """Open empty read models."""
        emptied(self.read)
        documents = ProjectorDocuments(self.read)
        yield Read(documents, MongoHistory(self.read), lambda: None)

    def close(self) -> None:
        """Remove the database."""
        self.mongo.client.drop_database(self.mongo.name)
        self.mongo.close()


def emptied(read: ReadModels) -> ReadModels:
    """Return read models in MongoDB without anything in them."""
    for projection in VERSIONS:
        read.collection(projection).delete_many({})
    nowhere = {"$set": {"positions": dict.fromkeys(VERSIONS, 0)}}
    read.mongo.collection(STATE).update_one({"_id": f"generation-{read.number}"}, nowhere)
    return read


Store = Sqlite | MongoStore


@contextmanager
def opened(name: str, folder: Path, uri: Callable[[], str]) -> Iterator[Store]:
    """Open a store of STORES."""
    if name == "mongodb":
        store = MongoStore(uri())
        yield store
        store.close()
    else:
        yield Sqlite(folder if name == "sqlite" else None)


STORES = ("sqlite", "sqlite-memory", "mongodb")
PROPERTY_STORES = ("sqlite-memory", "mongodb")
