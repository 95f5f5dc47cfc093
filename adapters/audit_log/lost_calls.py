"""A call whose process died before its record was stored gets one from the next process: then none may be missing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from threading import Event as Signal
from typing import Final

from adapters.audit_log.chain import is_older
from adapters.audit_log.system_records import SystemRecorder
from adapters.host.background import BackgroundThread
from commands.ports import EventStore
from commands.unit_of_work import load
from domain.errors import AutoLearnError
from domain.loss import LOSSES, Losses
from projections.fold import read_after
from projections.ports import AuditLog, Feed, Recorded
from projections.verification.audit_check import NO_RECORDED_CALLS, RecordedCalls, calls_lost_until, last_recorded_calls

logger = logging.getLogger(__name__)

BATCH: Final = 1000
EVERY_SECONDS: Final = 600.0


class LostCallRecorder(BackgroundThread):
    """Looks, at the start of a process and now and then, which commits have no record of their call.

    `in_flight` returns the correlations of calls of all processes that may still get their record. It asks the others,
    which takes seconds, and gives up once its signal is set.
    """

    def __init__(
        self,
        store: EventStore,
        feed: Feed,
        audit_log: AuditLog,
        recorder: SystemRecorder,
        in_flight: Callable[[Signal], Iterable[str]],
    ) -> None:
        super().__init__(self._run, "lost-calls")
        self._store, self._feed, self._audit_log = store, feed, audit_log
        self._recorder, self._in_flight = recorder, in_flight

    def record(self) -> RecordedCalls:
        """Record the calls that are lost up to the end of the log, and how far that is complete; return the latter."""
        until, _ = self._feed.end()  # first: a call that appended up to there is in flight, or has its record
        in_flight = frozenset(self._in_flight(self.stopping))
        said = last_recorded_calls(self._audit_log)
        known = self._known(said)
        complete = known._replace(until=self._reached(known.until, until, in_flight))
        if complete not in {said, NO_RECORDED_CALLS}:
            self._recorder.record_settled(complete.since, complete.until)
        return complete

    def _run(self, stopping: Signal) -> None:
        while not stopping.is_set():
            try:
                self.record()
            except AutoLearnError as trouble:
                if stopping.is_set():
                    return
                logger.warning("whether each commit has its record is looked at again later: %s", trouble.sentence)
            except Exception:
                logger.exception("whether each commit has its record is looked at again later")
            stopping.wait(EVERY_SECONDS)

    def _known(self, said: RecordedCalls | None) -> RecordedCalls:
        """Return what needs no look: what is complete, what an older version left, what was lost and accepted."""
        lost = calls_lost_until(load(self._store, Losses, LOSSES).accepted)
        if said is not None:
            return RecordedCalls(max(said.since, lost), max(said.until, lost))
        first = self._audit_log.read(0, 1)
        since = max(lost, self._feed.end()[0] if first and is_older(first[0]) else 0)
        return RecordedCalls(since, since)

    def _reached(self, after: int, until: int, in_flight: frozenset[str]) -> int:
        """Record the lost calls after a position; return the position before the first one that is in flight."""
        position, pending = after, until
        while position < until and not self.stopping.is_set():
            recorded, poison = read_after(self._feed, position, BATCH)
            for at, correlation in self._missing(one for one in recorded if one.commit <= until):
                if correlation in in_flight:
                    pending = min(pending, at - 1)
                else:
                    self._recorder.record_lost_call(correlation, at)
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
        return bool(self._audit_log.page({"correlation": correlation}, None, 1))
