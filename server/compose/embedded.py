"""The embedded mode put together: SQLite and files in one data directory, which one backend owns."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from adapters.audit_log.settling import Settling
from adapters.audit_log.system_records import ArchivedJournal
from adapters.embedded.audit_log.request_ids import SqliteRequestIds
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import MEMORY, Database
from adapters.embedded.directory.format import check_format, check_master_key
from adapters.embedded.directory.integrity import small_file_faults, special_files_in
from adapters.embedded.directory.offline import keep_unowned, readable_copy
from adapters.embedded.directory.receipts import ReceiptKeeper, read_receipts
from adapters.embedded.integrity import byte_faults
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import EmbeddedDocuments
from adapters.embedded.read_models.generations import Generations, is_outdated
from adapters.embedded.read_models.history import EmbeddedHistory
from adapters.embedded.read_models.served import served_faults
from adapters.files.blobs import FileBlobs
from adapters.host.directory_lock import DirectoryLock
from adapters.security.keys import fingerprint
from commands.application import Application
from commands.event_worker import EventWorker
from domain.errors import ConflictError, NotAbleError
from projections.runner import Runner
from projections.tasks import UnfinishedTasks
from server.compose.embedded_tails import accept, checked_tails, ends_in_place
from server.compose.folders import prepare_places, scratch_of
from server.compose.stores import BUILTIN_DATASETS, Stores, application_of, backend_of, environment, master_key
from server.inspection.process import ProcessInspector
from server.node import Node
from server.settings import Settings

Databases = tuple[Database, Database, ReadDatabase]

EVENTS, COMMUNICATIONS = "events.db", "communications.db"


@dataclass(kw_only=True)
class EmbeddedStores(Stores):
    """The same five stores, the file of the read models that can be exchanged, and the request ids that were used."""

    read: ReadDatabase
    request_ids: SqliteRequestIds


def open_stores(settings: Settings, worker: str, opened: ExitStack, *, read_only: bool = False) -> EmbeddedStores:
    """Open what is stored; `opened` closes it. Whoever writes must have the directory's lock."""
    offline = read_only and keep_unowned(settings.data, opened)
    at_rest, (events, archive, read) = (
        _to_read(settings, opened, offline=offline) if read_only else ([], _to_serve(settings))
    )
    feed = SqliteFeed(events)
    for database in (events, archive, read):
        opened.callback(database.close)
    communications = SqliteAuditLog(archive, worker, settings.reserve)
    small_files = partial(small_file_faults, settings.data, settings.key_file)
    return EmbeddedStores(
        store=SqliteEventStore(events),
        feed=feed,
        topic=feed,
        documents=EmbeddedDocuments(read),
        history=EmbeddedHistory(read),
        communications=communications,
        blobs=FileBlobs(settings.blobs_url, str(scratch_of(settings)), read_only=read_only),
        file_checks=(lambda: at_rest, small_files, feed.file_faults, communications.file_faults, read.faults),
        receipts=partial(read_receipts, settings.data),
        offline=offline,
        read=read,
        request_ids=SqliteRequestIds(archive),
    )


def _to_serve(settings: Settings) -> Databases:
    serving = Generations(settings.data).current()
    return Database(settings.data / EVENTS), Database(settings.data / COMMUNICATIONS), ReadDatabase(serving)


def _to_read(settings: Settings, opened: ExitStack, *, offline: bool) -> tuple[list[str], Databases]:
    """Open databases that a backend serves, or that lie there; and say what only their bytes tell."""
    if strange := list(special_files_in(settings.data, settings.key_file)):
        raise NotAbleError(" ".join(strange))
    generations = Generations(settings.data)
    named = (generations.named() if offline else generations.current()) or generations.fresh()
    files = [settings.data / EVENTS, settings.data / COMMUNICATIONS, named]
    at_rest = byte_faults(files, unowned=offline)
    if offline:
        files = [readable_copy(file, opened) for file in files]

    def how(file: Path) -> dict[str, bool]:
        return {"read_only": True, "immutable": offline and file.parent == settings.data}

    events, archive = (Database(file, **how(file)) for file in files[:2])
    if offline and is_outdated(files[2], immutable=files[2] == named):
        return at_rest, (events, archive, ReadDatabase(MEMORY))
    return at_rest, (events, archive, ReadDatabase(files[2], **how(files[2])))


def open_node(settings: Settings, accept_loss: str | None = None) -> Node:
    """Put a backend together on its data directory, which it alone owns until it is closed.

    Raises ConflictError where the end of log or audit log is lost, unless there is a reason to accept that.
    """
    with ExitStack() as opened:
        lock = locked(settings, opened)
        worker = f"embedded-{secrets.token_hex(4)}"
        stores = open_stores(settings, worker, opened)
        tails = checked_tails(stores, settings.data, accept_loss)
        journal = ArchivedJournal(stores.communications, worker, checked_key(settings, stores))
        stores.blobs.sweep()
        application, launcher = application_of(settings, stores, worker, scratch_of(settings))
        opened.callback(launcher.close)
        if accept_loss is not None:
            accept(tails, accept_loss, stores=stores, folder=settings.data, application=application, journal=journal)
        let_serve(settings, stores)
        receipts = ReceiptKeeper(settings.data, partial(ends_in_place, lock, stores))
        opened.callback(receipts.stop)
        return Node(
            settings=settings,
            application=application,
            lock=lock,
            launcher=launcher,
            journal=journal,
            receipts=receipts,
            builtin=BUILTIN_DATASETS,
            **followers(settings, stores, application, journal),
            opened=opened.pop_all(),
        )


def followers(
    settings: Settings, stores: EmbeddedStores, application: Application, journal: ArchivedJournal
) -> dict[str, Any]:
    """Return what follows the log: for the read models, for the tasks, and what answers calls from them."""
    runner, name = Runner(stores.topic, stores.documents), application.ports.worker
    look = partial(served_faults, settings.data, stores.read)
    inspector = ProcessInspector(environment(settings), partial(adopt, settings, stores, runner), look)
    open_tasks = UnfinishedTasks(stores.documents, stores.feed)
    # Whoever owned the directory before is dead, so the tasks that it had started are lost.
    worker = EventWorker(application, stores.topic, open_tasks, journal, is_lost=lambda other: other != name)
    backend = backend_of(settings, stores, application, inspector, stores.request_ids, fault=runner.fault_sentence)
    in_flight = backend.in_flight.correlations
    settling = Settling(stores.store, stores.feed, stores.communications, journal, in_flight)
    return {"runner": runner, "worker": worker, "backend": backend, "settling": settling}


def let_serve(settings: Settings, stores: EmbeddedStores) -> None:
    """Let the read models serve, or new ones where these are ahead of a log whose loss was accepted."""
    with suppress(NotAbleError):  # damage is for `verify` to tell and for `rebuild` to mend
        if max(stores.documents.positions().values()) > stores.feed.head()[0]:
            stores.read.switch(Generations(settings.data).fresh())
    Generations(settings.data).make_current(Path(stores.read.path))


def checked_key(settings: Settings, stores: EmbeddedStores) -> str:
    """Return the master key's fingerprint; raises BadInputError where the directory was begun with another one."""
    key = fingerprint(master_key(settings, stores.store))
    check_master_key(settings.data, key, settings.key_file, partial(archived_key, stores))
    return key


def archived_key(stores: EmbeddedStores) -> str | None:
    """Return the fingerprint that the audit log has of the last process here; None where it has none."""
    for started in stores.communications.page({"operation": "process start"}, None, 1):
        what, _, key = started.communication.causation.partition(":")
        return key if what == "master-key" else None
    return None


def locked(settings: Settings, opened: ExitStack) -> DirectoryLock:
    """Own the data directory; raises DataDirectoryInUseError, or ConflictError for one of a newer version."""
    prepare_places(settings)
    lock = DirectoryLock(settings.data)
    lock.acquire()
    opened.callback(lock.release)
    if strange := list(special_files_in(settings.data, settings.key_file)):
        raise ConflictError(" ".join(strange))
    check_format(settings.data)
    lock.hold(settings.data / EVENTS)
    return lock


@contextmanager
def fresh_documents(settings: Settings, projection: str | None) -> Iterator[tuple[str, EmbeddedDocuments]]:
    """Make a file to rebuild a projection in, or all (None), beside the one that serves; yields its path, too."""
    generations = Generations(settings.data)
    file = generations.fresh()
    if projection is not None:
        with closing(ReadDatabase(generations.current(), read_only=True)) as serving:
            serving.copy_without(projection, file)
    database = ReadDatabase(file)
    try:
        yield str(file), EmbeddedDocuments(database)
    finally:
        database.close()


def adopt(settings: Settings, stores: EmbeddedStores, runner: Runner, file: str) -> Future[None]:
    """Let rebuilt read models catch up and serve."""
    fresh = ReadDatabase(file)

    def switch() -> None:
        fresh.close()
        stores.read.switch(file)
        Generations(settings.data).make_current(Path(file))

    done = runner.adopt(EmbeddedDocuments(fresh), switch)
    done.add_done_callback(lambda _: fresh.close())
    return done
