"""Node: one backend, put together by `cli/compose/embedded.py`; how it starts, and how it ends."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from adapters.security.credentials import Credentials
from commands.application import Application
from commands.call import Call, command_id
from commands.catalog.offer_catalog import BuiltinDataset, OfferCatalog
from commands.clients.add_client import AddClient
from commands.ports import EventStore
from domain.errors import AutoLearnError
from domain.values import ROLES

if TYPE_CHECKING:
    from adapters.embedded.lock import DirectoryLock
    from adapters.http.backend import Backend
    from adapters.journal import ArchivedJournal
    from adapters.tasks.launcher import ProcessLauncher
    from cli.settings import Settings
    from commands.event_worker import EventWorker
    from projections.runner import Runner

log = logging.getLogger(__name__)

LOCAL = "local"
CATCH_UP_SECONDS = 60.0  # then it is said, and waited for again: read models that are rebuilt at start take their time
RETRY_SECONDS = 1.0
MOST_CLIENTS = 1000


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
    builtin: tuple[BuiltinDataset, ...]
    opened: ExitStack
    _closing: Signal = field(default_factory=Signal)

    def start(self) -> None:
        """Begin to work: everything is served once this returns; only the very first start waits for the catalog."""
        store, start = self.application.ports.store, uuid4().hex
        self.journal.started(start, store.head()[0])
        self.launcher.prepare()
        self.runner.start()
        self._add_local(store, start)
        if store.streams("model:", 1):
            Thread(target=self._offer, args=(start,), name="offers", daemon=True).start()
        else:
            self._offer(start)
        Thread(target=self._take_over, name="take over", daemon=True).start()

    def announce(self, url: str) -> None:
        """Let others on this machine know where it answers."""
        self.lock.announce(url)

    def has_own_clients(self) -> bool:
        """Whether anybody but `local` may call."""
        names = [stream.partition(":")[2] for stream in self.application.ports.store.streams("client:", MOST_CLIENTS)]
        return any(not self.backend.clients(name).revoked for name in names if name != LOCAL)

    def close(self) -> None:
        """Stop following, end the tasks, let go of files and lock; what is unfinished stays so in the log."""
        self._closing.set()
        self.worker.stop()
        self.application.close()
        self.runner.stop()
        self.opened.close()

    def _add_local(self, store: EventStore, start: str) -> None:
        if store.version(f"client:{LOCAL}") == 0:
            self.application.handle(AddClient(LOCAL, ROLES), system_call("local", start))
        client, file = self.backend.clients(LOCAL), self.settings.data / "credentials.json"
        if not file.exists() and not client.revoked:
            key = self.backend.keyring.key(LOCAL, client.generation)
            Credentials(LOCAL, client.generation, key).write(file)

    def _offer(self, start: str) -> None:
        try:
            self.application.handle(OfferCatalog(self.builtin), system_call("offer", start))
        except AutoLearnError as refused:
            log.warning("the installed models and measures could not be offered: %s", refused.sentence)

    def _take_over(self) -> None:
        head, _ = self.application.ports.store.head()
        while not self._closing.is_set():
            try:
                if self.backend.documents.wait(head, CATCH_UP_SECONDS):
                    self.worker.start(head)
                    return
                log.warning("queued and lost tasks wait for the read models to reach %s (%s)", head, self.runner.fault)
            except AutoLearnError as trouble:  # not there yet, or closing
                log.warning("queued and lost tasks wait: %s", trouble.sentence)
                self._closing.wait(RETRY_SECONDS)


def system_call(name: str, start: str) -> Call:
    """Return the call under which a process acts by itself at its start; no client can have such a name."""
    actor = f"system:{name}"
    return Call(actor, frozenset(), command_id(actor, start), start)
