"""The read models as the projection sees and writes them: as of what it folded in itself, whatever others write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from pydantic_core import to_json

from adapters.distributed.mongo import as_ours
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels, make_current, serving
from adapters.distributed.read_models.history_rows import row_writes
from adapters.distributed.read_models.version_writes import PIECE, Step, Write, steps
from domain.errors import NotAbleError
from projections.fold import KINDS, VERSIONS, WRITTEN_ONCE
from projections.garbage_collection import gc_paused
from projections.ports import Batch, Body

REMEMBERED: Final = 50_000
UNKNOWN: Final[Body] = {}
WRITERS: Final = 3  # pieces of a large batch on their way at once: so MongoDB has work while the next is encoded

Name = tuple[str, str]


class ProjectorDocuments(MongoDocuments):
    """`projections.ports.Documents` of ONE generation, for a process that folds.

    Two that believe to be the only one do no harm: each folds onto the state of its own position, so both write the
    same versions. Of read models that follow the pointer it takes the generation that serves now; when another one
    serves (a rebuild by another process), `position` and `apply` raise NotAbleError: begin anew with a new fold.
    """

    def __init__(self, read: ReadModels) -> None:
        super().__init__(read.pinned())
        self._pointer = read
        self._begin()

    def _begin(self) -> None:
        """Begin with what is stored."""
        self._folded = self._read.positions()
        self._since: dict[Name, int] = {}  # where open versions begin
        self._collections = {kind: self._read.documents(kind) for kind in KINDS}

    @property
    def is_superseded(self) -> bool:
        """Whether another generation serves instead of this one."""
        return self._pointer.is_following and self._pointer.number != self._read.number

    def position(self) -> int:
        """Return the position of the last commit that this process knows to be folded in."""
        return min(self.positions().values())

    def positions(self) -> dict[str, int]:
        self._check()
        return self._folded

    def apply(self, batch: Batch) -> None:
        """Write a batch, then let its position be visible; whatever happens between shows nothing of it."""
        self._check()
        with gc_paused():
            writes = [*self._writes(batch)]
        with as_ours():
            if len(batch.documents) <= PIECE:
                for write in writes:
                    write()
            else:
                with ThreadPoolExecutor(WRITERS, "read-models") as pool:
                    for done in [pool.submit(write) for write in writes]:
                        done.result()
            self._show(batch)

    def steps(self, batch: Batch) -> Iterator[Step]:
        """Yield the single writes of a batch; only the last one shows anything. Raises NotAbleError."""
        yield from self._writes(batch)
        yield partial(self._show, batch)

    def _writes(self, batch: Batch) -> Iterator[Step]:
        if batch.history:
            yield from steps(self._read.history, row_writes(batch.history))
        writes: dict[str, list[Write]] = {}
        for document in batch.documents:
            writes.setdefault(self._collections[document[0]].name, []).append(self._write(document, batch.before))
        for name, of_it in writes.items():
            yield from steps(self._read.mongo.collection(name), of_it)

    def _show(self, batch: Batch) -> None:
        projections = tuple(VERSIONS) if batch.projections is None else batch.projections
        self._read.advance(batch.position, projections)
        self._folded = self._folded | dict.fromkeys(projections, batch.position)
        self._remember(batch)

    def switch(self, number: int) -> None:
        make_current(self._read.mongo, number)
        self._pointer.look()
        self._read = ReadModels(self._read.mongo, number)
        self._begin()

    def _check(self) -> None:
        if self.is_superseded:
            numbers = f"generation {serving(self._read.mongo)} of the read models serves, not {self._read.number}"
            raise NotAbleError(f"Here {numbers} any more: begin anew with it.")

    def _write(self, document: tuple[str, str, int, Body | None], before: Mapping[Name, Body | None]) -> Write:
        kind, id, since, body = document
        fields = None if body is None else {"body": to_json(body).decode()}
        if kind in WRITTEN_ONCE or before.get((kind, id), UNKNOWN) is None:
            return Write({"kind": kind, "id": id}, since, fields, 0)
        return Write({"kind": kind, "id": id}, since, fields, self._since.get((kind, id)))

    def _remember(self, batch: Batch) -> None:
        """Remember where open versions begin: to close one by its key is cheap, however many closed ones there are."""
        if len(self._since) > REMEMBERED:
            self._since.clear()
        for kind, id, since, body in batch.documents:
            if kind not in WRITTEN_ONCE:
                self._since[kind, id] = since if body is not None else 0
