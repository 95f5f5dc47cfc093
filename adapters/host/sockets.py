"""Listening sockets, what a socket has sent and nobody has taken, and how many file descriptors there are."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import resource
import socket
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from domain.errors import ConflictError

BACKLOG = 256  # connections that the kernel keeps until they are accepted, which is at once
KEEP_ALIVE = {
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 60,  # seconds of silence before it is asked whether it is there
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 15,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): 4,
}
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to reach, not to bind
MOST_DESCRIPTORS = 65_536  # more would only make programs slow that walk through all they might have
RESERVED_DESCRIPTORS = 1024  # for database files, blobs, tasks and what else is open beside connections
OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ListeningSocket(socket.socket):
    """asyncio accepts many in a row, and at each that fails it asks for a pause of its own: they would add up.

    So right after a failure for lack of resources `accept` says that nobody is there.
    """

    _failed = False

    def accept(self) -> tuple[socket.socket, Any]:
        if self._failed:
            self._failed = False
            raise BlockingIOError(errno.EAGAIN, "later")
        try:
            return super().accept()
        except OSError as error:
            self._failed = error.errno in OUT_OF_RESOURCES
            raise


@dataclass(frozen=True)
class Listener:
    """An address that is taken. Nobody gets in before `open`, so that callers go to another instance meanwhile."""

    socket: socket.socket
    url: str

    def open(self) -> None:
        """Let calls in; raises ConflictError where another process was quicker."""
        with _conflicts(self.url):
            self.socket.listen(BACKLOG)

    @contextmanager
    def shared(self) -> Iterator[Listener]:
        """Lend the same address to a server that closes its socket in the end."""
        with self.socket.dup() as own:
            yield Listener(own, self.url)


@contextmanager
def listen_at(address: str, port: int) -> Iterator[Listener]:
    """Take an address; raises ConflictError for a port that is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ListeningSocket(family, socket.SOCK_STREAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sets it only on sockets that name their protocol; without it every answer of two writes waits 40 ms.
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in KEEP_ALIVE.items():  # inherited by its connections: callers that vanish are missed
            taken.setsockopt(*option, value)
        with _conflicts(f"{address}:{port}"):
            taken.bind((address, port))
        yield Listener(taken, url_of(address, taken.getsockname()[1]))


@contextmanager
def _conflicts(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConflictError(f"It cannot listen on {where}: {error.strerror}. Take another --port.") from error


def url_of(address: str, port: int) -> str:
    """Return a URL at which this machine reaches an address; IPv6 stands in brackets (RFC 3986, 3.2.2)."""
    address = EVERYWHERE.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def unconfirmed_bytes(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel has that the other side has not confirmed (tcp(7), SIOCOUTQ).

    They move for a slow reader while the transport's own buffer stands still: the kernel takes more from it only when
    a third of its own, which may be megabytes, is free.
    """
    try:
        answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    except OSError:  # it is closed, or the system cannot tell
        return 0
    return int(struct.unpack("i", answer)[0])


def raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(MOST_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def affordable_connections(wanted: int) -> int:
    """Return how many connections this process has descriptors for, at most those wanted."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, limit - min(RESERVED_DESCRIPTORS, limit // 2)))
