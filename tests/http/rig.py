"""A backend without processes: the embedded adapters in memory, and doubles of what lies outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.embedded.database import MEMORY, Database
from adapters.embedded.read_models.database import ReadDatabase
from adapters.files.blobs import FileBlobs
from adapters.http.app import make_app
from adapters.http.middleware.request_pipeline import RequestPipeline
from autolearn.credentials import Credentials
from commands.call import Call, command_id
from commands.catalog.offer_catalog import BuiltinDataset, OfferCatalog
from commands.ports import Launcher, TaskSpec
from commands.storage.add_client import AddClient
from domain.values import Role
from server.compose.embedded import stores_in
from server.compose.services import make_services
from server.roles import SERVICES, Roles
from server.settings import Settings
from tests.http.asgi import Caller
from tests.http.doubles import PreparedInspector, PreparedLauncher, Projecting, SetClock, SilentRecorder

MASTER = bytes(range(32))
IRIS = BuiltinDataset("iris", "target", "CC BY 4.0", "scikit-learn")
CLIENTS: dict[str, tuple[Role, ...]] = {"ana": ("analyst",), "bob": ("analyst",), "root": ("analyst", "sys-admin")}


class Rig:
    """One backend, put together as `up` does it, and the clients `ana`, `bob` (analysts) and `root` (both roles).

    `make_launcher` gets the blobs.
    """

    def __init__(
        self,
        folder: Path,
        make_launcher: Callable[[FileBlobs], Launcher],
        datasets: tuple[BuiltinDataset, ...] = (IRIS,),
    ) -> None:
        settings = Settings(data=folder, hosts="learn.example", slots=2, reserve=0)
        self.read = ReadDatabase(MEMORY)
        stores = stores_in((Database(MEMORY), Database(MEMORY), self.read), settings, "backend")
        assert isinstance(stores.blobs, FileBlobs)
        self.store, self.feed, self.documents, self.blobs = stores.store, stores.feed, stores.documents, stores.blobs
        self.audit_log, self.request_ids = stores.audit_log, stores.request_ids
        self.clock, self.inspector, self.launcher = SetClock(), PreparedInspector(), make_launcher(self.blobs)
        services = make_services(
            settings,
            stores,
            Roles(SERVICES, SERVICES),
            name="backend",
            master=MASTER,
            launcher=self.launcher,
            inspector=self.inspector,
            request_ids=stores.request_ids,
            recorder=SilentRecorder(stores.audit_log, "backend", ""),
            is_lost=lambda _: False,
            clock=self.clock,
        )
        self.application, self.backend, self.worker = services.application, services.backend, services.worker
        self.projecting = Projecting(self.feed, self.documents)
        self.do(OfferCatalog(datasets))
        for name, roles in CLIENTS.items():
            self.do(AddClient(name, roles))
        self.settle()

    @classmethod
    def prepared(cls, folder: Path) -> Rig:
        """Return one whose tasks have prepared outcomes."""
        return cls(folder, lambda _: PreparedLauncher())

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
        return self.feed.end()[0]

    def caller(self, client: str, generation: int = 1) -> Caller:
        key = self.backend.keyring.key(client, generation)
        return Caller(self.app, Credentials(client, generation, key))

    def close(self) -> None:
        self.worker.stop()
        self.projecting.stop()
        self.application.close()
