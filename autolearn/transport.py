"""One HTTP exchange with the standard library, which tells a refused connection from a broken one.

`http.client` takes half of what starting a client may take: the first call imports it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from autolearn.errors import NoAnswerError, UnreachableError

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

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
    from http.client import HTTPException  # noqa: PLC0415 - see above

    seconds = ANSWER_SECONDS if body is None or isinstance(body, bytes) else INGEST_SECONDS
    connection = _connection(url)
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
    from http.client import HTTPException  # noqa: PLC0415 - see above

    try:
        return reply.read(size)
    except TimeoutError:
        raise NoAnswerError("The backend began an answer and did not end it in time.") from None
    except (OSError, HTTPException) as broken:
        raise BrokenConnectionError(f"the answer broke off: {broken}") from broken


def read_lines(reply: HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of a body as they come; raises BrokenConnectionError."""
    from http.client import HTTPException  # noqa: PLC0415 - see above

    try:
        yield from reply
    except (OSError, HTTPException) as broken:
        raise BrokenConnectionError(f"the connection broke: {broken}") from broken


def _connection(url: str) -> HTTPConnection:
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415 - see above

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS, blocksize=BLOCK)


def unreachable(url: str, reason: object) -> UnreachableError:
    return UnreachableError(f"No backend answers at {url} ({reason}): `autolearn up` starts one on this machine.")
