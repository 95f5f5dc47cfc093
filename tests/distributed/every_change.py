"""Changes of a small installation in MongoDB, one at a time, and whether verify finds each.

`python -m tests.distributed.every_change [URI]` makes all of them; the suite makes those that are enough to see a gap.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import uuid4

from bson import decode
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from adapters.distributed.audit_log.record_schema import AUDIT_LOG
from adapters.distributed.document_format import DocumentFormat, fault_in
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models import documents, history_rows
from adapters.distributed.read_models.generations import ReadModels
from tests.distributed.bson_changes import changes
from tests.distributed.life import faults_in, live

RAW: Final = CodecOptions(document_class=RawBSONDocument)


class Place:
    """One collection, whose documents are changed and put back as they were."""

    def __init__(self, mongo: Mongo, name: str) -> None:
        self.mongo, self.name = mongo, name
        self._records = mongo.collection(name).with_options(codec_options=RAW)
        self.before = self._stored()

    def faults(self, after: Sequence[bytes]) -> list[str] | None:
        """Return what verify finds while the collection holds these documents; None where the server does not let it.

        It refuses some, and puts `_id` first.
        """
        try:
            self._put(after)
            return None if self._stored() == self.before else faults_in(self.mongo)
        except PyMongoError:
            return None
        finally:
            self._put(self.before)

    def _stored(self) -> list[bytes]:
        return [bytes(it.raw) for it in self._records.find().sort("_id", 1)]

    def _put(self, raw: Sequence[bytes]) -> None:
        self._records.delete_many({})
        if raw:
            self._records.insert_many([RawBSONDocument(it) for it in raw], bypass_document_validation=True)

    def restore(self) -> None:
        """Put everything back."""
        self._put(self.before)

    def with_changed(self, n: int, changed: bytes) -> list[bytes]:
        """Return the documents with another one in the place of the n-th."""
        return [*self.before[:n], changed, *self.before[n + 1 :]]


def kinds(mongo: Mongo) -> dict[str, DocumentFormat]:
    """Return the served collections and the kinds of their documents."""
    read = ReadModels.current(mongo)
    return {
        EVENT_LOG.name: EVENT_LOG.format,
        AUDIT_LOG.name: AUDIT_LOG.format,
        read.documents("experiment").name: documents.DOCUMENT,
        read.history.name: history_rows.ROW,
    }


def is_same(kind: DocumentFormat, before: bytes, after: bytes) -> bool:
    """Tell whether a change is without effect: of int32 and int64 in a read model, both are written."""
    if fault_in(after, kind) is not None:
        return False
    return repr(plain(decode(before))) == repr(plain(decode(after)))


def plain(value: Any) -> Any:
    """Return a value without the driver's own kind of whole numbers."""
    if isinstance(value, dict):
        return {name: plain(it) for name, it in value.items()}
    return int(value) if isinstance(value, Int64) else value


def missed(
    mongo: Mongo, name: str, n: int, wanted: Callable[[int, str, bytes], bool] = lambda *_: True
) -> tuple[int, list[str]]:
    """Make the wanted changes of the n-th document; return how many there were, and which ones verify did not find."""
    place, kind, count, gaps = Place(mongo, name), kinds(mongo)[name], 0, list[str]()
    for number, (what, changed) in enumerate(changes(place.before[n])):
        if is_same(kind, place.before[n], changed) or not wanted(number, what, changed):
            continue
        found = place.faults(place.with_changed(n, changed))
        count += found is not None
        if found == []:
            gaps.append(f"{name} {n}: {what}")
    return count, gaps


def main(uri: str) -> int:
    """Make every change of every document, and print the gaps."""
    mongo = Mongo(uri, f"test-{uuid4().hex[:12]}")
    gaps = list[str]()
    try:
        live(mongo)
        for name in kinds(mongo):
            for n in range(len(Place(mongo, name).before)):
                count, missing = missed(mongo, name, n)
                sys.stdout.write(f"{name} {n}: {count} changes, missed {missing}\n")
                gaps += missing
    finally:
        mongo.client.drop_database(mongo.name)
        mongo.close()
    return len(gaps)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.environ["AUTOLEARN_TEST_MONGODB"]) > 0)
