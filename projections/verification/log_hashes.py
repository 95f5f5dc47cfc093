"""The log's chain hashes by position, for somebody who asks for them nearly in order."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from projections.ports import Feed
from projections.verification.tails import hash_at

BATCH: Final = 1000
KEPT: Final = 20_000


class LogHashes:
    """Reads the log once, ahead of the questions; what was asked for long ago is looked up by itself."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.end = 0  # of the log, as far as it was asked for
        self._kept = OrderedDict[int, str]({0: bytes(32).hex()})
        self._read = 0

    def end_before(self, position: int) -> bool:
        """Whether the log, as it is now, ends before a position."""
        if position > self.end:
            self.end = self._feed.head()[0]
        return position > self.end

    def at(self, position: int) -> str:
        """Return the hash (hex) at a position; empty where no commit ends there."""
        while self._read < position and self._read_on():
            pass
        if position not in self._kept:
            self._keep(position, (hash_at(self._feed, position) or b"").hex())
        return self._kept[position]

    def _read_on(self) -> bool:
        commits = self._feed.raw_after(self._read, BATCH)
        for commit in commits:
            self._keep(commit.position, commit.hash.hex())
        if commits:
            self._read = max(commits[-1].position, self._read + 1)  # a damaged place must not be read for ever
        return bool(commits)

    def _keep(self, position: int, found: str) -> None:
        self._kept[position] = found
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
