"""Listening sockets, what a socket has sent and nobody has taken, and how many file descriptors there are."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import resource
import socket
import struct
import termios
from typing import Any

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


def affordable_connections(wanted: int, descriptors_each: int = 1) -> int:
    """Return how many connections this process has descriptors for, at most those wanted."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (limit - min(RESERVED_DESCRIPTORS, limit // 2)) // descriptors_each))
