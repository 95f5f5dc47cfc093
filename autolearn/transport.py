"""One HTTP exchange with the standard library: cheap to import, and it tells a refused connection from a broken one."""

from __future__ import annotations

import contextlib
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import urlsplit

from autolearn.errors import NoAnswerError, UnreachableError

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 150.0  # a command answers within 60 s
INGEST_SECONDS = 3600.0  # a file waits for those before it, and then has a task's deadline
BLOCK = 1 << 20


class BrokenConnectionError(Exception):
    """The connection broke before the answer was there: the call may or may not have been done."""


def send_request(
    url: str, method: str, target: str, headers: dict[str, str], body: bytes | BinaryIO | None
) -> HTTPResponse:
    """Send one request and return the answer, its body unread.

    Raises UnreachableError, BrokenConnectionError, NoAnswerError.
    """
    seconds = ANSWER_SECONDS if body is None or isinstance(body, bytes) else INGEST_SECONDS
    parts = urlsplit(url)
    kind: type[HTTPConnection] = HTTPConnection
    if parts.scheme == "https":
        from http.client import HTTPSConnection  # noqa: PLC0415 - loads OpenSSL's contexts, for https alone

        kind = HTTPSConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS, blocksize=BLOCK)
    try:
        connection.connect()
    except OSError as refused:
        raise unreachable(url, refused) from None
    connection.sock.settimeout(seconds)
    with contextlib.ExitStack() as unless_answered:
        unless_answered.callback(connection.close)
        try:
            # A backend that refuses a large file answers and closes before it has read all of it.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body, headers | {"Connection": "close"})
            reply = connection.getresponse()
        except TimeoutError:
            raise NoAnswerError(f"The backend at {url} did not answer within {seconds:.0f} s.") from None
        except (OSError, HTTPException) as broken:
            raise BrokenConnectionError(str(broken)) from broken
        unless_answered.pop_all()
    if connection.sock is not None:  # the other end may leave it open; now it is closed with the reply
        connection.sock.close()
    return reply


def read_body(reply: HTTPResponse, size: int | None = None) -> bytes:
    """Return the whole body, or `size` bytes of it; raises BrokenConnectionError, NoAnswerError (too slow)."""
    try:
        return reply.read(size)
    except TimeoutError:
        raise NoAnswerError("The backend began an answer and did not end it in time.") from None
    except (OSError, HTTPException) as broken:
        raise BrokenConnectionError(f"the answer broke off: {broken}") from broken


def unreachable(url: str, reason: object) -> UnreachableError:
    return UnreachableError(f"No backend answers at {url} ({reason}): `autolearn up` starts one on this machine.")
