"""One HTTP exchange with the standard library: cheap to import, and it tells a refused connection from a broken one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import urlsplit

from domain.errors import NotAbleError, UnreachableError

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 150.0  # a command answers within 60 s
INGEST_SECONDS = 3600.0  # a file waits for those before it, and then has a task's deadline; who leaves ends its ingest
BLOCK = 1 << 20


class BrokenError(Exception):
    """The connection was made, and broke before the answer was there: the call may or may not have been done."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A backend's address."""

    url: str

    @property
    def base(self) -> str:
        """What stands before every path."""
        return urlsplit(self.url).path

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | BinaryIO | None) -> HTTPResponse:
        """Send one request, return the answer, its body unread; raises UnreachableError, BrokenError, NotAbleError."""
        patience = patience_for(body)
        connection = self._connected(patience)
        try:
            return self._answered(connection, method, target, headers, body)
        except TimeoutError:
            raise NotAbleError(f"The backend at {self.url} did not answer within {patience:.0f} s.") from None
        except (OSError, HTTPException) as broken:
            raise BrokenError(str(broken)) from broken

    def _connected(self, patience: float) -> HTTPConnection:
        parts = urlsplit(self.url)
        kind: type[HTTPConnection] = HTTPConnection
        if parts.scheme == "https":
            from http.client import HTTPSConnection  # noqa: PLC0415 - loads OpenSSL's contexts, for https alone

            kind = HTTPSConnection
        connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS, blocksize=BLOCK)
        try:
            connection.connect()
        except OSError as refused:
            raise unreachable(self.url, refused) from None
        connection.sock.settimeout(patience)
        return connection

    @staticmethod
    def _answered(
        connection: HTTPConnection, method: str, target: str, headers: dict[str, str], body: bytes | BinaryIO | None
    ) -> HTTPResponse:
        # A backend that refuses a large file answers and closes before it has read all of it.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, target, body, headers | {"Connection": "close"})
        reply = connection.getresponse()
        if connection.sock is not None:  # whoever answers may leave it open; it is closed with the reply
            connection.sock.close()
        return reply


def read_whole(reply: HTTPResponse) -> bytes:
    """Return the body; raises BrokenError where it breaks off (it is lost), NotAbleError where it goes silent."""
    try:
        return reply.read()
    except TimeoutError:
        raise NotAbleError("The backend began an answer and did not end it in time.") from None
    except (OSError, HTTPException) as broken:
        raise BrokenError(f"the answer broke off: {broken}") from broken


def patience_for(body: bytes | BinaryIO | None) -> float:
    """Return for how many seconds an answer is waited for; a body that is read as it is sent is a raw file."""
    return ANSWER_SECONDS if body is None or isinstance(body, bytes) else INGEST_SECONDS


def unreachable(url: str, reason: object) -> UnreachableError:
    """Say that nobody answers, and what to do."""
    return UnreachableError(f"No backend answers at {url} ({reason}): `autolearn up` starts one on this machine.")
