"""The composition root: the one place that names adapter classes and puts a backend together (the deck's Singleton)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from adapters.embedded.communications import SqliteCommunications
from adapters.embedded.database import Database
from adapters.embedded.documents import EmbeddedDocuments
from adapters.embedded.event_store import SqliteEventStore
from adapters.embedded.feed import SqliteFeed
from adapters.embedded.generations import Generations
from adapters.embedded.history import EmbeddedHistory
from adapters.embedded.lock import DirectoryLock, check_format
from adapters.embedded.read_database import ReadDatabase
from adapters.files.blobs import FileBlobs
from adapters.files.stash import TemporaryStash
from adapters.http.backend import Backend
from adapters.journal import ArchivedJournal
from adapters.learning.builtin import BUILTIN
from adapters.security.cursors import CursorSeal
from adapters.security.keyring import Keyring
from adapters.security.keys import make_master_key, read_master_key
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from adapters.wire.chain import chain_faults
from adapters.wire.communication_chain import chain_faults as communication_faults
from cli.inspection_process import ProcessInspector
from cli.node import Node
from cli.settings import Settings
from commands.application import Application
from commands.catalog.offer_catalog import BuiltinDataset
from commands.event_worker import EventWorker
from commands.ports import Ports
from commands.wrappers import load
from domain.client import Client
from domain.errors import BadInputError, NotAbleError
from projections.queries import Queries
from projections.replay import Replayed
from projections.runner import Runner
from projections.tasks import UnfinishedTasks
from projections.verify import Evidence

log = logging.getLogger(__name__)

EVENTS, COMMUNICATIONS, SCRATCH = "events.db", "communications.db", "scratch"


class SystemClock:
    """The machine's time of day."""

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.now(UTC)


@dataclass
class Stores:
    """The five stores of a data directory."""

    store: SqliteEventStore
    feed: SqliteFeed
    documents: EmbeddedDocuments
    history: EmbeddedHistory
    communications: SqliteCommunications
    blobs: FileBlobs
    read: ReadDatabase


def open_stores(settings: Settings, worker: str, opened: ExitStack, *, read_only: bool = False) -> Stores:
    """Open what is stored; `opened` closes it. Whoever writes must have the directory's lock."""
    events = Database(settings.data / EVENTS, read_only=read_only)
    archive = Database(settings.data / COMMUNICATIONS, read_only=read_only)
    feed = SqliteFeed(events)
    read = ReadDatabase(Generations(settings.data).current(), read_only=True) if read_only else serving(settings, feed)
    for database in (events, archive, read):
        opened.callback(database.close)
    return Stores(
        SqliteEventStore(events),
        feed,
        EmbeddedDocuments(read),
        EmbeddedHistory(read),
        SqliteCommunications(archive, worker, settings.reserve),
        FileBlobs(settings.blobs_url, str(settings.data / SCRATCH)),
        read,
    )


def serving(settings: Settings, feed: SqliteFeed) -> ReadDatabase:
    """Open the read models that serve; ones that are ahead of the log (an older copy of it) are left for new ones."""
    generations = Generations(settings.data)
    read = ReadDatabase(generations.current())
    with suppress(NotAbleError):  # damage is for `verify` to tell and for `rebuild` to mend
        reached, (head, _) = EmbeddedDocuments(read).position(), feed.head()
        if reached > head:
            log.warning("the read models are at %s, ahead of the log (%s): they are folded anew", reached, head)
            read.close()
            read = ReadDatabase(generations.fresh())
    generations.make_current(Path(read.path))
    return read


def open_node(settings: Settings) -> Node:
    """Put an embedded backend together on its data directory, which it alone owns until it is closed."""
    with ExitStack() as opened:
        lock = locked(settings, opened)
        worker = f"embedded-{secrets.token_hex(4)}"
        stores = open_stores(settings, worker, opened)
        stores.blobs.sweep()
        limits = Limits(deadline=settings.task_seconds, memory=settings.task_memory)
        launcher = ProcessLauncher(settings.blobs_url, str(settings.data / SCRATCH), settings.slots, limits)
        opened.callback(launcher.close)
        application = Application(Ports(stores.store, stores.blobs, launcher, SystemClock(), worker))
        runner = Runner(stores.feed, stores.documents)
        journal = ArchivedJournal(stores.communications, worker)
        return Node(
            settings=settings,
            application=application,
            backend=backend_of(settings, stores, application, runner),
            lock=lock,
            launcher=launcher,
            journal=journal,
            runner=runner,
            worker=event_worker_of(stores, application, journal),
            builtin=tuple(BuiltinDataset(name, it.target, it.licence, it.source) for name, it in BUILTIN.items()),
            opened=opened.pop_all(),
        )


def locked(settings: Settings, opened: ExitStack) -> DirectoryLock:
    """Own the data directory; raises DataDirectoryInUseError, or ConflictError for one of a newer version."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = DirectoryLock(settings.data)
    lock.acquire()
    opened.callback(lock.release)
    check_format(settings.data)
    return lock


def event_worker_of(stores: Stores, application: Application, journal: ArchivedJournal) -> EventWorker:
    """Return the event worker; whoever owned the directory before is dead, so its started tasks are lost."""
    me = application.ports.worker
    open_tasks = UnfinishedTasks(stores.documents, stores.feed)
    return EventWorker(application, stores.feed, open_tasks, journal, lambda task: task.worker != me)


def backend_of(settings: Settings, stores: Stores, application: Application, runner: Runner) -> Backend:
    """Return what the routes may use."""
    master, clock = master_key(settings, stores.store), application.ports.clock
    cursors = CursorSeal(master, clock)
    return Backend(
        application=application,
        queries=Queries(stores.documents, stores.history, stores.feed, cursors),
        feed=stores.feed,
        documents=stores.documents,
        communications=stores.communications,
        blobs=stores.blobs,
        keyring=Keyring(master),
        cursors=cursors,
        clients=lambda name: load(stores.store, Client, f"client:{name}"),
        inspector=ProcessInspector(environment(settings), partial(adopt, settings, stores, runner)),
        clock=clock,
        worker=application.ports.worker,
        hosts=frozenset(filter(None, settings.hosts.split(","))),
        fault=lambda: None if runner.fault is None else f"position {runner.fault.position}: {runner.fault.sentence}",
    )


def evidence_of(stores: Stores) -> Evidence:
    """Return what verify looks at."""
    return Evidence(
        feed=stores.feed,
        documents=stores.documents,
        history=stores.history,
        blobs=stores.blobs,
        communications=stores.communications,
        chain_faults=chain_faults,
        communication_faults=communication_faults,
        open_stash=TemporaryStash,
        files=(stores.feed.file_faults, stores.communications.file_faults, stores.read.faults),
    )


def replayed(stores: Stores) -> Replayed:
    """Return what replay reads."""
    return Replayed(stores.feed, stores.documents, stores.history, TemporaryStash)


@contextmanager
def fresh_documents(settings: Settings) -> Iterator[tuple[str, EmbeddedDocuments]]:
    """Make a new file for read models beside the one that serves; yields its path and its documents."""
    file = Generations(settings.data).fresh()
    database = ReadDatabase(file)
    try:
        yield str(file), EmbeddedDocuments(database)
    finally:
        database.close()


def adopt(settings: Settings, stores: Stores, runner: Runner, file: str) -> Future[None]:
    """Let rebuilt read models catch up and serve."""
    fresh = ReadDatabase(file)

    def switch() -> None:
        fresh.close()
        stores.read.switch(file)
        Generations(settings.data).make_current(Path(file))

    done = runner.adopt(EmbeddedDocuments(fresh), switch)
    done.add_done_callback(lambda _: fresh.close())
    return done


def master_key(settings: Settings, store: SqliteEventStore) -> bytes:
    """Return the master key; the very first start makes it. A lost one is not replaced: no client could call then."""
    file = settings.key_file
    if file.exists():
        return read_master_key(file)
    if store.streams("client:", 1):
        raise BadInputError(f"The master key {file} is missing, and all clients' keys depend on it: restore the file.")
    return make_master_key(file)


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment by which another process of ours finds the same data."""
    return {
        "AUTOLEARN_DATA": str(settings.data.absolute()),
        "AUTOLEARN_BLOBS": settings.blobs_url,
        "AUTOLEARN_MASTER_KEY_FILE": str(settings.key_file.absolute()),
    }
