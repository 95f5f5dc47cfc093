"""Sockets: one that listens, and says once that no descriptor is left; and what one has sent that nobody has taken."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import socket
import struct
import termios
from typing import Any

OUT_OF = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ListeningSocket(socket.socket):
    """asyncio accepts many in a row, and at each that fails it asks for a pause of its own: they would add up."""

    _is_out = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept; right after a failure for lack of resources, say that nobody is there."""
        if self._is_out:
            self._is_out = False
            raise BlockingIOError(errno.EAGAIN, "later")
        try:
            return super().accept()
        except OSError as error:
            self._is_out = error.errno in OUT_OF
            raise


def in_kernel(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel has that the other side has not confirmed (tcp(7), SIOCOUTQ).

    They move for a slow reader while the transport's own buffer stands still: the kernel takes more from it only when
    a third of its own, which may be megabytes, is free.
    """
    try:
        answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    except OSError:  # it is closed, or no system that tells
        return 0
    return int(struct.unpack("i", answer)[0])
