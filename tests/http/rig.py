"""A backend without processes: the embedded adapters in memory, and doubles of what lies outside."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.embedded.audit_log.request_ids import SqliteRequestIds
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import EmbeddedDocuments
from adapters.embedded.read_models.history import EmbeddedHistory
from adapters.files.blobs import FileBlobs
from adapters.host.retry import Retry
from adapters.http.app import make_app
from adapters.http.backend import Backend
from adapters.http.middleware.request_pipeline import RequestPipeline
from adapters.security.cursors import HmacCursorSeal
from adapters.security.keys import Keyring
from autolearn.credentials import Credentials
from commands.application import Application
from commands.call import Call, command_id
from commands.catalog.offer_catalog import BuiltinDataset, OfferCatalog
from commands.clients.add_client import AddClient
from commands.event_worker import EventWorker
from commands.ports import Launcher, Ports, TaskSpec
from commands.unit_of_work import load
from domain.client import Client
from domain.values import Role
from projections.queries import Queries
from projections.tasks import UnfinishedTasks
from tests.http.asgi import Caller
from tests.http.doubles import NoJournal, PreparedInspector, PreparedLauncher, Projecting, SetClock

MASTER = bytes(range(32))
IRIS = BuiltinDataset("iris", "target", "CC BY 4.0", "scikit-learn")
CLIENTS: dict[str, tuple[Role, ...]] = {"ana": ("analyst",), "bob": ("analyst",), "root": ("analyst", "sys-admin")}


class Rig:
    """One backend, its application behind the gate, and the clients `ana`, `bob` (analysts) and `root` (both roles)."""

    def __init__(self, blobs: FileBlobs, launcher: Launcher, datasets: tuple[BuiltinDataset, ...] = (IRIS,)) -> None:
        self.blobs, self.launcher = blobs, launcher
        self.clock, self.inspector = SetClock(), PreparedInspector()
        log, self.read = Database(":memory:"), ReadDatabase(":memory:")
        self.store, self.feed, self.documents = SqliteEventStore(log), SqliteFeed(log), EmbeddedDocuments(self.read)
        audit = Database(":memory:")
        self.communications, self.request_ids = SqliteAuditLog(audit, "backend"), SqliteRequestIds(audit)
        self.application = Application(Ports(self.store, blobs, launcher, self.clock, "backend", Retry()))
        self.projecting = Projecting(self.feed, self.documents)
        self.do(OfferCatalog(datasets))
        for name, roles in CLIENTS.items():
            self.do(AddClient(name, roles))
        self.settle()
        open_tasks = UnfinishedTasks(self.documents, self.feed)
        self.worker = EventWorker(self.application, self.feed, open_tasks, NoJournal(), is_lost=lambda _: False)

    @classmethod
    def prepared(cls, folder: Path) -> Rig:
        """Return one whose tasks have prepared outcomes."""
        return cls(FileBlobs(str(folder / "blobs")), PreparedLauncher())

    @cached_property
    def backend(self) -> Backend:
        cursors = HmacCursorSeal(MASTER)
        return Backend(
            application=self.application,
            queries=Queries(self.documents, EmbeddedHistory(self.read), self.feed, cursors, self.clock.now),
            feed=self.feed,
            documents=self.documents,
            communications=self.communications,
            request_ids=self.request_ids,
            blobs=self.blobs,
            keyring=Keyring(MASTER),
            cursors=cursors,
            clients=lambda name: load(self.store, Client, f"client:{name}"),
            inspector=self.inspector,
            clock=self.clock,
            worker="backend",
            hosts=frozenset({"learn.example"}),
        )

    @cached_property
    def app(self) -> RequestPipeline:
        return make_app(self.backend)

    def hold_back(self) -> PreparedLauncher:
        """Let tasks begin, queued ones too, but not end until `may_end` is set."""
        assert isinstance(self.launcher, PreparedLauncher)
        self.launcher.may_end.clear()
        self.worker.start(self.position)
        return self.launcher

    @property
    def tasks(self) -> list[TaskSpec]:
        """What was started, in order."""
        assert isinstance(self.launcher, PreparedLauncher)
        return self.launcher.started

    def do(self, command: Any) -> None:
        """Run a command beside the gate."""
        call = Call("root", frozenset({"analyst", "sys-admin"}), command_id("root", uuid4().hex), uuid4().hex)
        self.application.handle(command, call, wait=30)

    def settle(self) -> None:
        """Wait until the read models have everything."""
        assert self.documents.wait(self.position, 10)

    @property
    def position(self) -> int:
        return self.feed.head()[0]

    def caller(self, client: str, generation: int = 1) -> Caller:
        key = self.backend.keyring.key(client, generation)
        return Caller(self.app, Credentials(client, generation, key))

    def close(self) -> None:
        self.worker.stop()
        self.projecting.stop()
        self.application.close()
