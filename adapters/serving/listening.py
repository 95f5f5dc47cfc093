"""A listening socket that says once that no descriptor is left, until asyncio has paused for its second."""

from __future__ import annotations

import errno
import socket
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
