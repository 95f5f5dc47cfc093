"""ServiceNode: a process `serve SERVICE` or `work SERVICE` of the distributed mode; how it starts, and how it ends."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from commands.application import Application
from commands.catalog.offer_catalog import BuiltinDataset
from server.startup import offer, take_over

if TYPE_CHECKING:
    from adapters.audit_log.settling import Settling
    from adapters.audit_log.system_records import ArchivedJournal
    from adapters.http.backend import Backend
    from adapters.tasks.launcher import ProcessLauncher
    from commands.event_worker import EventWorker

WARM = frozenset({"training", "evaluation"})  # their calls wait for a fit or a score: a forkserver stands ready

log = logging.getLogger(__name__)


@dataclass
class ServiceNode:
    """One process of one service. `opened` closes the rest, last the lease that tells the others that it lives."""

    service: str
    application: Application
    backend: Backend
    launcher: ProcessLauncher
    journal: ArchivedJournal
    worker: EventWorker
    settling: Settling
    opened: ExitStack
    _closing: Signal = field(default_factory=Signal)

    def serve(self) -> None:
        """Begin to answer calls: the event worker only ends here what is cancelled elsewhere."""
        self._begin()
        if self.service in WARM:
            self.launcher.prepare()
        if self.service == "storage":  # one of an installation is enough
            self.settling.start()
        self.worker.start(self.backend.feed.head()[0])

    def work(self, builtin: tuple[BuiltinDataset, ...]) -> None:
        """Do queued and lost tasks; that of the catalog offers what is installed, the very first time first."""
        start = self._begin()
        if self.service == "catalog":
            offering = (self.application, builtin, start)
            if self.application.ports.store.streams("model:", 1):
                Thread(target=offer, args=offering, name="offers", daemon=True).start()
            else:
                offer(*offering)
        taking = (self.worker, self.backend, self._closing)
        Thread(target=take_over, args=taking, name="take over", daemon=True).start()

    def _begin(self) -> str:
        start = uuid4().hex
        self.journal.started(start, self.application.ports.store.head()[0])
        log.info("%s", self.launcher.confined)
        return start

    def close(self) -> None:
        """Stop following, end the tasks, then be gone: what is unfinished is taken over by others at once."""
        self._closing.set()
        self.settling.stop()
        self.worker.stop()
        self.application.close()
        self.opened.close()
