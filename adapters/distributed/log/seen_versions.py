"""Versions of streams that this process has seen in the log: streams only grow, so what was seen stays true."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Final

MOST: Final = 20_000


class SeenVersions:
    """The greatest version seen of each of the streams used last: a lower bound of the stream's version."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def of(self, stream: str) -> int:
        """Return the greatest version seen; 0 where none was."""
        return self._versions.get(stream, 0)

    def note(self, versions: Iterable[tuple[str, int]]) -> None:
        """Remember versions that the log holds for good; those of the streams noted longest ago are forgotten."""
        with self._lock:
            for stream, version in versions:
                self._versions[stream] = max(version, self._versions.pop(stream, 0))
            while len(self._versions) > self._most:
                self._versions.popitem(last=False)
