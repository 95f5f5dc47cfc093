"""What a connection may take, and the problems that it is refused with before there is a call."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.http.problems import Problem

KIB = 1 << 10


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of all connections of a process; sizes in bytes.

    A target holds a filter of 4,096 bytes percent-encoded, and a cursor of as many. `stray`: what comes in a row and is
    neither a whole header section nor a body, such as an unfinished header section, trailers or extensions of chunks.
    `most` connections are open at a time.
    """

    target: int = 20 * KIB
    header: int = 8 * KIB
    headers: int = 32 * KIB
    header_count: int = 100
    stray: int = 64 * KIB
    most: int = 1000
    header_seconds: float = 10.0
    idle_seconds: float = 5.0  # between two requests; more than a proxy in front keeps a connection
    pace_seconds: float = 30.0
    pace_bytes: int = 64 * KIB  # that a body, or an answer's reader, makes in so many seconds, or it ends
    linger_seconds: float = 2.0  # in which a refused caller can read why


class RefusedError(Exception):
    """Raised while a request is parsed; the parser ends there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


NOT_HTTP = Problem("not-http", "This is not an HTTP/1.1 request.")
TOO_SLOW = Problem("too-slow", "The request did not come in time: send it whole, and at once.")
NO_ROOM = Problem(
    "not-able-now", "Too many connections are open: repeat the call in a moment.", {}, {"Retry-After": "1"}
)


def target_too_long(most: int) -> Problem:
    return Problem("target-too-long", f"Path and query together have at most {most:,} bytes.", {"limit": most})


def header_too_large(what: str, most: int) -> Problem:
    return Problem("headers-too-large", f"{what}: at most {most:,}.", {"limit": most})
