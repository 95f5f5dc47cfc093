"""The log itself: its chain against an anchor, every event readable; on the way, what the other checks need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from domain.dataset import DatasetRegistered
from domain.experiment_events import TrainingCompleted
from domain.loss import TailLossAccepted
from projections.following import read_after
from projections.ports import Body, Feed, RawCommit, Recorded
from projections.spill import Entry, SpillTable

BATCH = 1000
MOST_FAULTS = 1000
BLOB, CORRELATION = "blob", "correlation"

Finding = tuple[int | None, str]


class LogCheck:
    """Reads the log twice: as stored, then decoded. Blobs and correlations with their positions go into the spill."""

    def __init__(
        self,
        feed: Feed,
        position: int,
        chain_faults: Callable[[Iterable[RawCommit]], Iterable[tuple[int, str]]],
        anchor: tuple[int, bytes] | None,
        spill: SpillTable,
    ) -> None:
        self.position = position
        self._spill = spill
        self._feed = feed
        self._chain_faults = chain_faults
        self._anchor = anchor
        self._anchored: bytes | None = None
        self.losses: list[TailLossAccepted] = []

    def run(self, faults: list[Finding]) -> Iterator[Body]:
        """Yield progress; what is wrong goes into `faults`."""
        faults.extend(islice(self._chain_faults(self._commits()), MOST_FAULTS))
        if self._anchor is not None and self._anchor[1] != self._anchored:
            faults.append((self._anchor[0], self._anchor_fault(self._anchor[0])))
        yield from self._events(faults)

    def _commits(self) -> Iterator[RawCommit]:
        position = 0
        while position < self.position and (commits := self._feed.raw_after(position, BATCH)):
            for commit in commits:
                if commit.position > self.position:
                    return
                if self._anchor is not None and commit.position == self._anchor[0]:
                    self._anchored = commit.hash
                yield commit
            position = commits[-1].position

    def _anchor_fault(self, at: int) -> str:
        if at > self.position:
            return f"the log ends at {self.position}, below the anchor"
        return "the hash here is not the anchor's: the log was rewritten" if self._anchored else "no commit ends here"

    def _events(self, faults: list[Finding]) -> Iterator[Body]:
        position = 0
        while position < self.position:
            recorded, poison = read_after(self._feed, position, BATCH)
            within = [one for one in recorded if one.commit <= self.position]
            self._spill.put(note for one in within for note in _notes(one))
            self.losses += [one.event for one in within if isinstance(one.event, TailLossAccepted)]
            if poison is not None:
                faults.append((poison.position, poison.sentence))
                position = max(poison.position, position + 1)
            elif recorded:
                position = recorded[-1].commit
            else:
                return
            yield {"position": position, "of": self.position}

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Stream the SHA-256 of all blobs that events name, with the position of the first that does."""
        return self._noted(BLOB)

    def names(self, sha256: str) -> bool:
        """Whether an event names this blob; it is asked once for each."""
        return self._spill.take(BLOB, sha256) is not None

    def answer(self, correlation: str) -> None:
        """Note that a call has its communication."""
        self._spill.take(CORRELATION, correlation)

    def unanswered(self) -> Iterator[tuple[str, int]]:
        """Stream the correlations without a communication so far, with their first positions."""
        return self._noted(CORRELATION)

    def _noted(self, kind: str) -> Iterator[tuple[str, int]]:
        return ((id, position) for _, id, position, _ in self._spill.entries(kind))


def _notes(recorded: Recorded) -> Iterator[Entry]:
    event = recorded.event
    if event.metadata.correlation:
        yield CORRELATION, event.metadata.correlation, recorded.commit, None
    if isinstance(event, DatasetRegistered):
        yield BLOB, event.content.blob.sha256, recorded.commit, None
    elif isinstance(event, TrainingCompleted):
        for blob in (event.result.model_blob, event.result.learned_blob):
            yield BLOB, blob.sha256, recorded.commit, None
