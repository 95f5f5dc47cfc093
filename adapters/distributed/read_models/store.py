"""The read models in MongoDB as one store: `adapters.distributed.projection.read_model_store.ReadModelStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from adapters.distributed.document_format import DocumentFormat, NeverWrittenError, faults_of, whole
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Fields, Mongo
from adapters.distributed.read_models.documents import DOCUMENT, MongoDocuments
from adapters.distributed.read_models.generations import NONE_YET, ReadModels, begin_anew, pointer_faults, sweep
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.history_rows import ROW
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from projections.fold import VERSIONS
from projections.ports import OPEN


class MongoReadModelStore:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo, self._read = mongo, ReadModels.current(mongo)
        self.documents: Final = MongoDocuments(self._read)
        self.history: Final = MongoHistory(self._read)
        self._end = 0

    def serving_generation(self) -> ProjectorDocuments:
        return ProjectorDocuments(ReadModels.ensure(self._mongo))

    def generation(self, number: int) -> ProjectorDocuments:
        return ProjectorDocuments(ReadModels(self._mongo, number))

    def make_generation(self, projection: str | None) -> tuple[int, ProjectorDocuments]:
        fresh = ReadModels.fresh(self._mongo, projection)
        return fresh.number, ProjectorDocuments(fresh)

    def begin_anew(self) -> None:
        begin_anew(self._mongo)

    def have_caught_up(self) -> bool:
        return self._read.have_caught_up()

    def note_caught_up(self) -> None:
        self._read.note_caught_up()

    def remove_older(self, before: int) -> list[int]:
        return sweep(self._mongo, before)

    @property
    def checks(self) -> tuple[Callable[[], Iterable[str]], ...]:
        return self._collection_faults, lambda: pointer_faults(self._mongo), self._document_faults

    def _collection_faults(self) -> Iterator[str]:
        read = self._read.pinned()
        for collection in read.layouts if read.number != NONE_YET else ():
            yield from collection.faults(self._mongo)

    def _document_faults(self) -> Iterator[str]:
        read = self._read.pinned()
        if read.number != NONE_YET:
            for name in {read.collection(projection).name for projection in VERSIONS}:
                kind = ROW if name == read.history.name else DOCUMENT
                yield from faults_of(self._mongo.collection(name), self._in_time(kind))

    def _in_time(self, version: DocumentFormat) -> DocumentFormat:
        """Return the format of a version that begins and ends in the time of the log."""

        def rewritten(stored: Fields) -> Iterable[Fields]:
            since, until = whole(stored["_id"]["since"]), whole(stored["until"])
            if not 1 <= since < until or self._is_beyond(since) or (until != OPEN and self._is_beyond(until)):
                raise NeverWrittenError(f"it is true from {since} to {until}, and the log ends at {self._end}")
            return version.rewritten(stored)

        return DocumentFormat(version.what, rewritten)

    def _is_beyond(self, position: int) -> bool:
        """Tell whether the log ends before a position; it grows meanwhile."""
        if position > self._end:
            self._end = MongoFeed(self._mongo).end()[0]
        return position > self._end
