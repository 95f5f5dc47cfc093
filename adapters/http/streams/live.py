"""What calls of one process share while they wait: none holds a thread for it, none takes another one's share."""

from __future__ import annotations

from adapters.http.backend import Backend
from adapters.http.middleware.client_limits import Shares
from adapters.http.middleware.fair_queue import Turns
from adapters.http.middleware.stream_authentication import Admissions
from adapters.http.middleware.thread_pools import Lanes
from adapters.http.streams.changes import Changes
from adapters.http.streams.log_feed import LogFeed
from adapters.http.streams.pace import Pace
from adapters.http.streams.position_waiter import Reach

WAITS_OF_ONE, WAITS_OF_ALL = 128, 1024
STREAMS_OF_ONE, STREAMS_OF_ALL = 128, 640
UPLOADS_OF_ONE, UPLOADS_OF_ALL = 16, 64  # on their way, waiting for an ingest, or in one: each is a file on the disk
INGESTS = 2  # each may use a task's whole memory, and they take no slot from fits


class Live:
    """Made once per application."""

    def __init__(self, backend: Backend, lanes: Lanes) -> None:
        self.reach = Reach(backend.documents, lanes)
        self.changes = Changes(backend, self.reach, lanes)
        self.log = LogFeed(backend.communications, lanes)
        self.admissions = Admissions(backend, lanes)
        self.pace = Pace()
        self.waits = Shares("waiting calls", WAITS_OF_ONE, WAITS_OF_ALL)
        self.inspections = Shares("inspections", backend.slots, backend.slots)
        self.uploads = Shares("uploads", UPLOADS_OF_ONE, UPLOADS_OF_ALL)
        self.ingests = Turns(INGESTS)
        self.streams = Shares("event streams", STREAMS_OF_ONE, STREAMS_OF_ALL)
