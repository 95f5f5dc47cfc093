"""What a connection is refused for before there is a call: one sentence, and the problem that says it."""

from __future__ import annotations

from adapters.http.problems import PROBLEM, Problem


class RefusedError(Exception):
    """Raised while a request is parsed; the parser ends there."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


NOT_HTTP = Problem("not-http", "This is no request of HTTP/1.1.")
TOO_SLOW = Problem("too-slow", "The request did not come in time: send it whole, and at once.")
NO_ROOM = Problem(
    "not-able-now", "Too many connections are open: repeat the call in a moment.", {}, {"Retry-After": "1"}
)


def target_too_long(most: int) -> Problem:
    """Say what the limit is."""
    return Problem("target-too-long", f"Path and query together have at most {most:,} bytes.", {"limit": most})


def header_too_large(what: str, most: int) -> Problem:
    """Say which limit it is."""
    return Problem("headers-too-large", f"{what}: at most {most:,}.", {"limit": most})


def response(problem: Problem) -> bytes:
    """Return the plain response that ends a connection."""
    headers = {
        "content-type": PROBLEM,
        "content-length": str(len(problem.body)),
        "connection": "close",
        **problem.headers,
    }
    lines = [f"HTTP/1.1 {problem.status} {problem.title}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + problem.body
