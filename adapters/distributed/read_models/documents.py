"""Versioned documents in MongoDB, read as of the position that is wholly folded in: half a batch is never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic_core import from_json, to_json

from adapters.distributed.document_format import DocumentFormat, NeverWrittenError, whole
from adapters.distributed.mongo import Fields, as_ours
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.position_waiter import PositionWaiter
from domain.errors import NotAbleError
from projections.fold import KINDS, PROJECTION_OF
from projections.ports import OPEN, Batch, Document, EncodedVersion

STREAMED = 1000
BEYOND_ALL = chr(0x10FFFF)


class MongoDocuments:
    """`projections.ports.Documents` for whoever reads; the projection writes through `ProjectorDocuments`."""

    def __init__(self, read: ReadModels) -> None:
        self._read = read
        self._waiter = PositionWaiter(lambda: self._read.progress())  # noqa: PLW0108 - a projector goes on with another `_read`

    def position(self) -> int:
        return self._read.progress()

    def positions(self) -> dict[str, int]:
        return self._read.positions()

    def apply(self, batch: Batch) -> None:
        """Refuse: a reader may change generation at any moment."""
        raise NotAbleError(f"Position {batch.position} is for the projection to write: here one only reads.")

    def get(self, kind: str, id: str, at: int | None = None) -> Document | None:
        position = self.position() if at is None else at
        of_it = {"$gte": _key(kind, id, 0), "$lte": _key(kind, id, position)}
        with as_ours():
            found = self._read.documents(kind).find_one({"_id": of_it}, sort=[("_id", -1)])
        return _document(found, at) if found and found["until"] > position else None

    def list(
        self, kind: str, prefix: str = "", at: int | None = None, limit: int = 1000, after: str = ""
    ) -> list[Document]:
        position = self.position() if at is None else at
        begin = max(_key(kind, after, OPEN + 1), _key(kind, prefix, 0), key=lambda key: (key["id"], key["since"]))
        true_then = {
            "_id": {"$gte": begin, "$lt": _key(kind, prefix + BEYOND_ALL, 0)},
            "_id.since": {"$lte": position},
            "until": {"$gt": position},
        }
        with as_ours():
            found = self._read.documents(kind).find(true_then).sort("_id", 1).limit(limit).batch_size(limit)
            return [_document(one, at) for one in found]

    def versions(self, kind: str, at: int | None = None, prefix: str = "") -> Iterator[Document]:
        position, after = self.position() if at is None else at, ""
        while page := self.list(kind, prefix, position, STREAMED, after):
            yield from page
            if len(page) < STREAMED:
                return
            after = page[-1].id

    def all_versions(self) -> Iterator[Document]:
        """Stream every version, closed ones too; a body that is no JSON any more comes back as text."""
        for kind in KINDS:
            after: Fields = {"kind": kind}
            while page := self._page_of_all(kind, after):
                yield from (
                    Document(key["kind"], key["id"], key["since"], one["until"], json_or_text(one.get("body")))
                    for one in page
                    for key in [one["_id"]]
                )
                after = page[-1]["_id"]

    def all_encoded(self) -> Iterator[EncodedVersion]:
        for kind in KINDS:
            after: Fields = {"kind": kind}
            while page := self._page_of_all(kind, after):
                for one in page:
                    key, body = one["_id"], str(one.get("body")).encode("utf-8", "backslashreplace")
                    yield key["kind"], key["id"], key["since"], one["until"], body
                after = page[-1]["_id"]

    def _page_of_all(self, kind: str, after: Fields) -> Sequence[Fields]:
        with as_ours():
            found = self._read.documents(kind).find({"_id": {"$gt": after, "$lt": {"kind": f"{kind}\0"}}})
            return tuple(found.sort("_id", 1).limit(STREAMED).batch_size(STREAMED))

    def encode(self, body: dict[str, Any]) -> bytes:
        return to_json(body)

    def wait(self, position: int, timeout: float) -> bool:
        return self._waiter.wait(position, timeout)


def _key(kind: str, id: str, since: int) -> Fields:
    return {"kind": kind, "id": id, "since": since}


def _document(found: Fields, at: int | None) -> Document:
    """Read a version; as of now what closes it later has not happened yet."""
    key = found["_id"]
    return Document(
        key["kind"], key["id"], key["since"], OPEN if at is None else found["until"], from_json(found["body"])
    )


def _rewritten(stored: Fields) -> Iterator[Fields]:
    key = stored["_id"]
    if not isinstance(from_json(stored["body"]), dict):
        raise NeverWrittenError("its body is not an object")
    if key["kind"] not in PROJECTION_OF:
        raise NeverWrittenError(f"no projection has documents of the kind {key['kind']!r}")
    yield {
        "_id": _key(str(key["kind"]), str(key["id"]), whole(key["since"])),
        "until": whole(stored["until"]),
        "body": str(stored["body"]),
    }


DOCUMENT: Final = DocumentFormat("version of a document", _rewritten)


def json_or_text(stored: Any) -> Any:
    """Return the JSON value, or (of a damaged store) what is there instead."""
    try:
        return from_json(stored or "")
    except (TypeError, ValueError):
        return {"unreadable": str(stored)}
