"""Node: one embedded backend, put together by `server/compose/embedded.py`; how it starts, and how it ends."""

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
from server.startup import add_local, offer, take_over

if TYPE_CHECKING:
    from adapters.audit_log.settling import Settling
    from adapters.audit_log.system_records import ArchivedJournal
    from adapters.embedded.directory.receipts import ReceiptKeeper
    from adapters.host.directory_lock import DirectoryLock
    from adapters.http.backend import Backend
    from adapters.tasks.launcher import ProcessLauncher
    from commands.event_worker import EventWorker
    from projections.runner import Runner
    from server.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class Node:
    """One backend: `runner` follows the log for the read models, `worker` for the tasks; `opened` closes the rest."""

    settings: Settings
    application: Application
    backend: Backend
    lock: DirectoryLock
    launcher: ProcessLauncher
    journal: ArchivedJournal
    runner: Runner
    worker: EventWorker
    receipts: ReceiptKeeper
    settling: Settling
    builtin: tuple[BuiltinDataset, ...]
    opened: ExitStack
    _closing: Signal = field(default_factory=Signal)

    def start(self) -> None:
        """Begin to work: everything is served once this returns; only the very first start waits for the catalog."""
        store, start = self.application.ports.store, uuid4().hex
        self.journal.started(start, store.head()[0])
        self.receipts.start()
        self.settling.start()
        log.info("%s", self.launcher.confined)
        self.launcher.prepare()
        self.runner.start()
        add_local(self.settings, self.backend, start)
        offering = (self.application, self.builtin, start)
        if store.streams("model:", 1):
            Thread(target=offer, args=offering, name="offers", daemon=True).start()
        else:
            offer(*offering)
        taking = (self.worker, self.backend, self._closing)
        Thread(target=take_over, args=taking, name="take over", daemon=True).start()

    def announce(self, url: str) -> None:
        """Let others on this machine know where it answers."""
        self.lock.announce(url)

    def close(self) -> None:
        """Stop following, end the tasks, let go of files and lock; what is unfinished stays so in the log."""
        self._closing.set()
        self.settling.stop()
        self.worker.stop()
        self.application.close()
        self.runner.stop()
        self.opened.close()
