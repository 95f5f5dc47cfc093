"""The line of communications: each gets its place in the one chain of all, and its number among this writer's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pymongo import DESCENDING
from pymongo.collection import Collection

from adapters.audit_log.chain import record_after, tail_of
from adapters.distributed.audit_log.documents import tail_in, to_document
from adapters.distributed.mongo import Fields, as_ours
from domain.errors import BadInputError
from projections.ports import Communication


@dataclass(slots=True, eq=False)
class Job:
    """A communication that waits for its place."""

    communication: Communication
    document: Fields | None = None
    refusal: Exception | None = None


class CommunicationLine:
    """Knows this writer's last number, as long as it knows what became of all that it planned."""

    def __init__(self, collection: Collection[Fields], writer: str, now: Callable[[], int]) -> None:
        self._collection, self._writer, self._now = collection, writer, now
        self._known = False
        self._own = 0  # the writer's last number, where known
        self._planned: list[Job] = []

    def follow(self, tail: Fields, jobs: Sequence[Job]) -> list[tuple[Job, Fields]]:
        """Return the documents of the communications that follow the tail."""
        end, number, now = tail_in(tail), self._last(), self._now()
        planned = []
        for job in jobs:
            try:
                record = record_after(end, self._writer, number + 1, job.communication, now)
            except UnicodeError as wrong:
                job.refusal = BadInputError(f"A communication holds a text that is no Unicode: {wrong}.")
            else:
                end, number = tail_of(record), number + 1
                planned.append((job, to_document(record)))
        self._planned = [job for job, _ in planned]
        return planned

    def blame(self, job: Job) -> Exception | None:  # noqa: ARG002 - whichever job it was
        """Ask anew for the last number: this one is taken, so an insert that was given up for lost has arrived."""
        self._planned, self._known = [], False
        return None

    def _last(self) -> int:
        """Return the writer's last number; it is asked for where an insert has an unknown end."""
        stored = [job.document for job in self._planned if job.document is not None]
        if stored:
            self._own = int(stored[-1]["number"])
        if not self._known or any(job.refusal is not None for job in self._planned):
            with as_ours():
                last = self._collection.find_one({"writer": self._writer}, {"number": 1}, sort=[("number", DESCENDING)])
            self._own = int(last["number"]) if last else 0
            self._known = True
        self._planned = []
        return self._own
