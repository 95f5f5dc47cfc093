"""What a connection may take: bytes of a request's head, seconds, and a least speed."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1 << 10


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of all connections of a process; sizes in bytes.

    A target holds a filter of 4,096 bytes percent-encoded, and a cursor of as many. `stray`: what comes in a row and is
    neither a whole head nor a body, such as an unfinished head, trailers or extensions of chunks.
    `most` connections are open at a time.
    """

    target: int = 20 * KIB
    header: int = 8 * KIB
    headers: int = 32 * KIB
    header_count: int = 100
    stray: int = 64 * KIB
    most: int = 1000
    head_seconds: float = 10.0
    idle_seconds: float = 5.0  # between two requests; more than the gateway keeps a connection
    pace_seconds: float = 30.0
    pace_bytes: int = 64 * KIB  # that a body, or an answer's reader, makes in so many seconds, or it ends
    linger_seconds: float = 2.0  # in which a refused caller can read why
