"""The log itself: its chain against an anchor, every event readable; on the way, what the other checks need of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from domain.dataset import DatasetRegistered
from domain.experiment_events import TrainingCompleted
from projections.change import Body
from projections.following import read_after
from projections.ports import Feed, RawCommit, Recorded

BATCH = 1000
MOST_FAULTS = 1000

Finding = tuple[int | None, str]


class LogCheck:
    """Reads the log twice: as stored, then decoded. Afterwards it knows blobs and correlations with their positions."""

    def __init__(
        self,
        feed: Feed,
        position: int,
        chain_faults: Callable[[Iterable[RawCommit]], Iterable[tuple[int, str]]],
        anchor: tuple[int, bytes] | None,
    ) -> None:
        self.position = position
        self.blobs: dict[str, int] = {}
        self.correlations: dict[str, int] = {}
        self._feed = feed
        self._chain_faults = chain_faults
        self._anchor = anchor
        self._anchored: bytes | None = None

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
            for one in recorded:
                self._note(one)
            if poison is not None:
                faults.append((poison.position, poison.sentence))
                position = max(poison.position, position + 1)
            elif recorded:
                position = recorded[-1].commit
            else:
                return
            yield {"position": position, "of": self.position}

    def _note(self, recorded: Recorded) -> None:
        if recorded.commit > self.position:
            return
        event = recorded.event
        if event.metadata.correlation:
            self.correlations.setdefault(event.metadata.correlation, recorded.commit)
        if isinstance(event, DatasetRegistered):
            self.blobs.setdefault(event.content.blob.sha256, recorded.commit)
        elif isinstance(event, TrainingCompleted):
            for blob in (event.result.model_blob, event.result.learned_blob):
                self.blobs.setdefault(blob.sha256, recorded.commit)
