"""Calls whose process died before they were archived get a record by whoever comes after: then none may be missing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from threading import Event as Signal
from threading import Thread
from typing import Final

from adapters.audit_log.chain import is_older
from adapters.audit_log.system_records import ArchivedJournal
from commands.ports import EventStore
from commands.unit_of_work import load
from domain.errors import AutoLearnError
from domain.loss import LOSSES, Losses
from projections.fold import read_after
from projections.ports import Communications, Feed, Recorded
from projections.verification.audit_check import NO_RECORDED_CALLS, RecordedCalls, calls_lost_until, last_recorded_calls

log = logging.getLogger(__name__)

BATCH: Final = 1000
EVERY_SECONDS: Final = 600.0


class Settling:
    """One process that looks, at its start and now and then, which commits have no record of their call.

    `in_flight` are the correlations of calls that may still be archived, of all processes.
    """

    def __init__(
        self,
        store: EventStore,
        feed: Feed,
        communications: Communications,
        journal: ArchivedJournal,
        in_flight: Callable[[], Iterable[str]],
    ) -> None:
        self._store, self._feed, self._communications = store, feed, communications
        self._journal, self._in_flight = journal, in_flight
        self._closing = Signal()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Look now, and from now on until it is stopped, in a thread of its own."""
        self._thread = Thread(target=self._run, name="settling", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what was not looked at is left to the next process."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def settle(self) -> RecordedCalls:
        """Archive what is lost up to the end of the log, and how far that is settled then; return the latter."""
        until, _ = self._feed.head()  # first: a call that appended up to there is in flight, or archived
        in_flight = frozenset(self._in_flight())
        said = last_recorded_calls(self._communications)
        known = self._known(said)
        settled = known._replace(until=self._reached(known.until, until, in_flight))
        if settled not in {said, NO_RECORDED_CALLS}:
            self._journal.settled(settled.since, settled.until)
        return settled

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.settle()
            except AutoLearnError as trouble:
                log.warning("whether each commit has its record is looked at again later: %s", trouble.sentence)
            except Exception:
                log.exception("whether each commit has its record is looked at again later")
            self._closing.wait(EVERY_SECONDS)

    def _known(self, said: RecordedCalls | None) -> RecordedCalls:
        """Return what needs no look: what is settled, what an older version left, what was lost and accepted."""
        lost = calls_lost_until(load(self._store, Losses, LOSSES).accepted)
        if said is not None:
            return RecordedCalls(max(said.since, lost), max(said.until, lost))
        first = self._communications.read(0, 1)
        since = max(lost, self._feed.head()[0] if first and is_older(first[0]) else 0)
        return RecordedCalls(since, since)

    def _reached(self, after: int, until: int, in_flight: frozenset[str]) -> int:
        """Archive the lost calls after a position; return the position before the first one that is in flight."""
        position, pending = after, until
        while position < until and not self._closing.is_set():
            recorded, poison = read_after(self._feed, position, BATCH)
            for at, correlation in self._missing(one for one in recorded if one.commit <= until):
                if correlation in in_flight:
                    pending = min(pending, at - 1)
                else:
                    self._journal.lost(correlation, at)
            position = poison.position if poison else recorded[-1].commit if recorded else until
        return max(after, min(position, pending))

    def _missing(self, recorded: Iterable[Recorded]) -> Iterator[tuple[int, str]]:
        first: dict[str, int] = {}
        for one in recorded:
            first.setdefault(one.event.metadata.correlation, one.commit)
        return (
            (at, correlation) for correlation, at in first.items() if correlation and not self._has_record(correlation)
        )

    def _has_record(self, correlation: str) -> bool:
        return bool(self._communications.page({"correlation": correlation}, None, 1))
