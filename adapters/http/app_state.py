"""What the calls of one application share: a waiting call holds no thread, and none takes another one's quota."""

from __future__ import annotations

from contextlib import suppress

from adapters.http.backend import Backend
from adapters.http.metrics import Metrics
from adapters.http.middleware.authentication import StreamAuthentication
from adapters.http.middleware.limits import ClientQuota, FairQueue, ThreadPools
from adapters.http.read_model_lag import LagMeter
from adapters.http.streams.frames import FramePacer
from adapters.http.streams.watches import AuditLogWatch, ExperimentWatch, ReadModelWatch
from domain.errors import AutoLearnError

WAITS_OF_ONE, WAITS_OF_ALL = 128, 1024
STREAMS_OF_ONE, STREAMS_OF_ALL = 128, 640
UPLOADS_OF_ONE, UPLOADS_OF_ALL = 16, 64  # on their way, waiting for an ingest, or in one: each is a file on the disk
INGESTS, SINGLE_ROWS = 2, 2  # each may use a task's whole memory, and they take no slot from fits


class AppState:
    """Made once per application; the routes find it as `request.app.state.shared`."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.pools, self.lag = ThreadPools(), LagMeter(backend)
        self.metrics = Metrics(backend, self.lag)
        self.read_models = ReadModelWatch(backend.documents, self.pools)
        self.experiments = ExperimentWatch(backend, self.read_models, self.pools)
        self.audit_log = AuditLogWatch(backend.audit_log, self.pools)
        self.stream_authentication = StreamAuthentication(backend, self.pools)
        self.frame_pacer = FramePacer()
        self.waits = ClientQuota("waiting calls", WAITS_OF_ONE, WAITS_OF_ALL)
        self.inspections = ClientQuota("inspections", backend.slots, backend.slots)
        self.uploads = ClientQuota("uploads", UPLOADS_OF_ONE, UPLOADS_OF_ALL)
        self.streams = ClientQuota("event streams", STREAMS_OF_ONE, STREAMS_OF_ALL)
        self.ingests, self.single_rows = FairQueue(INGESTS), FairQueue(SINGLE_ROWS)
        with suppress(AutoLearnError), backend.short_timeout():
            self.lag.measure()  # so that the first answer can tell how fast the read models catch up
        self.documents: dict[str, str] = {}  # the OpenAPI document and its page, once they are made
