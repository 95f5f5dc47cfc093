"""The head of a request while it is parsed: measured line by line, so that none gets large in memory."""

from __future__ import annotations

from adapters.serving.limits import ConnectionLimits
from adapters.serving.refused import RefusedError, header_too_large, target_too_long


class Head:
    """Counts what has come of one head."""

    __slots__ = ("_count", "_limits", "_size", "_target", "is_whole")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self.begin()

    def begin(self) -> None:
        """Count anew: the next request."""
        self._target = self._size = self._count = 0
        self.is_whole = False

    def add_target(self, part: bytes) -> None:
        """Count a part of the target; raises RefusedError."""
        self._target += len(part)
        if self._target > self._limits.target:
            raise RefusedError(target_too_long(self._limits.target))

    def add_header(self, name: bytes, value: bytes) -> None:
        """Count a header; raises RefusedError."""
        limits, size = self._limits, len(name) + len(value)
        self._size += size
        self._count += 1
        if size > limits.header:
            raise RefusedError(header_too_large("A header is too long in bytes", limits.header))
        if self._size > limits.headers:
            raise RefusedError(header_too_large("The headers are too long in bytes together", limits.headers))
        if self._count > limits.header_count:
            raise RefusedError(header_too_large("There are too many headers", limits.header_count))
