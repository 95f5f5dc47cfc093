"""The log itself: its chain against an anchor, every event readable; on the way, what the other checks need of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from domain.dataset import DatasetRegistered
from domain.events import Event
from domain.experiment_events import EvaluationCompleted, TrainingCompleted
from domain.loss import TailLossAccepted
from domain.prediction import PredictionMade
from domain.values import BlobRef
from projections.ports import (
    GENESIS,
    Body,
    ChainFaults,
    Decode,
    Entry,
    Feed,
    Finding,
    RawCommit,
    SpillTable,
)
from projections.verification.tail_check import hash_at

BATCH: Final = 1000
MOST_FAULTS: Final = 1000
MOST_HASHES: Final = 20_000
BLOB, CORRELATION = "blob", "correlation"


class LogCheck:
    """Reads the log once: its chain, and each event. Blobs and correlations go into the table with their positions."""

    def __init__(
        self,
        feed: Feed,
        position: int,
        *,
        chain_faults: ChainFaults,
        decode: Decode,
        anchor: tuple[int, bytes] | None,
        spill: SpillTable,
    ) -> None:
        self.position = position
        self._spill = spill
        self._feed = feed
        self._chain_faults = chain_faults
        self._decode = decode
        self._anchor = anchor
        self._anchored: bytes | None = None
        self.losses: list[TailLossAccepted] = []

    def run(self, faults: list[Finding]) -> Iterator[Body]:
        """Yield progress; add what is wrong to `faults`."""
        position, last, broken = 0, GENESIS, 0
        while position < self.position and (commits := self._feed.raw_after(position, BATCH)):
            within = [commit for commit in commits if commit.position <= self.position]
            found = list(islice(self._chain_faults(within, position, last), MOST_FAULTS - broken))
            broken += len(found)
            faults.extend(found)
            self._look_at(within, faults)
            position, last = commits[-1].position, commits[-1].hash
            yield {"position": min(position, self.position), "of": self.position}
        if self._anchor is not None and self._anchor[1] != self._anchored:
            faults.append((self._anchor[0], self._anchor_fault(self._anchor[0])))

    def _look_at(self, commits: Sequence[RawCommit], faults: list[Finding]) -> None:
        entries = list[Entry]()
        for commit in commits:
            if self._anchor is not None and commit.position == self._anchor[0]:
                self._anchored = commit.hash
            try:
                events = [self._decode(*event) for event in commit.events]
            except Exception as error:  # noqa: BLE001 - stored bytes can be wrong in any way
                faults.append((commit.position, f"An event cannot be read: {str(error).rstrip('.')}."))
                continue
            correlations = {event.metadata.correlation for event in events} - {""}
            entries += ((CORRELATION, it, commit.position, None) for it in correlations)
            for event in events:
                entries += ((BLOB, it.sha256, commit.position, None) for it in _blobs_of(event) if it is not None)
                if isinstance(event, TailLossAccepted):
                    self.losses.append(event)
        self._spill.put(entries)

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

    def note_records(self, correlations: Iterable[str]) -> None:
        """Note that the audit log has records of these calls."""
        self._spill.drop(CORRELATION, correlations)

    def without_record(self) -> Iterator[tuple[str, int]]:
        """Stream the correlations without a record so far, with their first positions."""
        return self._spilled(CORRELATION)

    def _spilled(self, kind: str) -> Iterator[tuple[str, int]]:
        return ((id, position) for _, id, position, _ in self._spill.entries(kind))


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
        hashes = self._feed.hashes_after(self._read, BATCH)
        for position, found in hashes:
            self._keep(position, found.hex())
        if hashes:
            self._read = max(hashes[-1][0], self._read + 1)  # a damaged place must not be read for ever
        return bool(hashes)

    def _keep(self, position: int, found: str) -> None:
        self._hashes[position] = found
        if len(self._hashes) > MOST_HASHES:
            self._hashes.popitem(last=False)
