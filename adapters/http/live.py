"""What calls of one process share while they wait: none holds a thread for it, none takes another one's share."""

from __future__ import annotations

from adapters.http.backend import Backend
from adapters.http.reach import Reach
from adapters.http.shares import Shares

WAITS_OF_ONE, WAITS_OF_ALL = 128, 1024
STREAMS_OF_ONE, STREAMS_OF_ALL = 64, 512


class Live:
    """Made once per application."""

    def __init__(self, backend: Backend) -> None:
        self.reach = Reach(backend.documents)
        self.waits = Shares("waiting calls", WAITS_OF_ONE, WAITS_OF_ALL)
        self.streams = Shares("event streams", STREAMS_OF_ONE, STREAMS_OF_ALL)
