"""The log itself: its chain against an anchor, every event readable; on the way, what the other checks need of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from domain.dataset import DatasetRegistered
from domain.events import Event
from domain.experiment_events import EvaluationCompleted, TrainingCompleted
from domain.loss import TailLossAccepted
from domain.prediction import PredictionMade
from domain.values import BlobRef
from projections.fold import read_after
from projections.ports import Body, Entry, Feed, Finding, RawCommit, Recorded, SpillTable
from projections.verification.tail_check import hash_at

BATCH: Final = 1000
MOST_FAULTS: Final = 1000
MOST_HASHES: Final = 20_000
BLOB, CORRELATION = "blob", "correlation"


class LogCheck:
    """Reads the log twice: as stored, then decoded. Blobs and correlations with their positions go into the table."""

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
        """Yield progress; add what is wrong to `faults`."""
        faults.extend(islice(self._chain_faults(self._commits()), MOST_FAULTS))
        if self._anchor is not None and self._anchor[1] != self._anchored:
            faults.append((self._anchor[0], self._anchor_fault(self._anchor[0])))
        position = 0
        while position < self.position:
            recorded, poison = read_after(self._feed, position, BATCH)
            within = [one for one in recorded if one.commit <= self.position]
            self._spill.put(entry for one in within for entry in _entries(one))
            self.losses += [one.event for one in within if isinstance(one.event, TailLossAccepted)]
            if poison is not None:
                faults.append((poison.position, poison.sentence))
                position = max(poison.position, position + 1)
            elif recorded:
                position = recorded[-1].commit
            else:
                return
            yield {"position": position, "of": self.position}

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

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Stream the SHA-256 of all blobs that events name, with the position of the first that does."""
        return self._spilled(BLOB)

    def names(self, sha256: str) -> bool:
        """Tell whether an event names this blob; ask once for each."""
        return self._spill.take(BLOB, sha256) is not None

    def note_record(self, correlation: str) -> None:
        """Note that the audit log has a record of a call."""
        self._spill.take(CORRELATION, correlation)

    def without_record(self) -> Iterator[tuple[str, int]]:
        """Stream the correlations without a record so far, with their first positions."""
        return self._spilled(CORRELATION)

    def _spilled(self, kind: str) -> Iterator[tuple[str, int]]:
        return ((id, position) for _, id, position, _ in self._spill.entries(kind))


def _entries(recorded: Recorded) -> Iterator[Entry]:
    event = recorded.event
    if event.metadata.correlation:
        yield CORRELATION, event.metadata.correlation, recorded.commit, None
    for blob in _blobs_of(event):
        if blob is not None:
            yield BLOB, blob.sha256, recorded.commit, None


def _blobs_of(event: Event) -> tuple[BlobRef | None, ...]:
    """Return the blobs that an event names."""
    match event:
        case DatasetRegistered(content=content):
            return content.blob, content.profile.blob if content.profile else None
        case TrainingCompleted(result=result):
            return result.model_blob, result.learned_blob
        case EvaluationCompleted(notes=notes):
            return *notes.tables.values(), notes.report
        case PredictionMade(summary=summary) if summary.kept:
            return summary.input, summary.output
        case _:
            return ()


class LogHashes:
    """The log's chain hashes by position: reads the log once, ahead of questions that come nearly in order."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.end = 0  # of the log, as far as it was asked for
        self._hashes = OrderedDict[int, str]({0: bytes(32).hex()})
        self._read = 0

    def ends_before(self, position: int) -> bool:
        """Tell whether the log, as it is now, ends before a position."""
        if position > self.end:
            self.end = self._feed.end()[0]
        return position > self.end

    def at(self, position: int) -> str:
        """Return the hash (hex) at a position; empty where no commit ends there."""
        while self._read < position and self._read_on():
            pass
        if position not in self._hashes:
            self._keep(position, (hash_at(self._feed, position) or b"").hex())
        return self._hashes[position]

    def _read_on(self) -> bool:
        commits = self._feed.raw_after(self._read, BATCH)
        for commit in commits:
            self._keep(commit.position, commit.hash.hex())
        if commits:
            self._read = max(commits[-1].position, self._read + 1)  # a damaged place must not be read for ever
        return bool(commits)

    def _keep(self, position: int, found: str) -> None:
        self._hashes[position] = found
        if len(self._hashes) > MOST_HASHES:
            self._hashes.popitem(last=False)
