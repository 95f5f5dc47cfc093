"""The embedded mode put together: SQLite and files in one data directory, which one backend owns."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.audit_log.system_records import SystemRecorder
from adapters.embedded.audit_log.request_ids import SqliteRequestIds
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import MEMORY, Database
from adapters.embedded.directory.format import check_format, check_master_key, read_format
from adapters.embedded.directory.integrity import small_file_faults, special_files_in
from adapters.embedded.directory.last_backup import last_backup
from adapters.embedded.directory.offline import keep_unowned, readable_copy
from adapters.embedded.directory.receipts import AUDIT, LOG, LogEnds, ReceiptKeeper, read_receipts, write_receipts
from adapters.embedded.directory.restoring import unfinished_restore
from adapters.embedded.integrity import byte_faults
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.generations import Generations, is_outdated, served_faults
from adapters.embedded.read_models.history import SqliteHistory
from adapters.host.directory_lock import DirectoryLock
from adapters.security.keys import fingerprint
from domain.errors import ConflictError, NotAbleError
from domain.values import check_text
from projections.runner import ProjectionRunner
from projections.verification.tail_check import PositionClaim, find_audit_end, find_log_end
from server.compose.folders import scratch_of
from server.compose.http import serve_calls
from server.compose.loss_check import LossCheck, check_claims
from server.compose.services import check_blobs, make_launcher, make_services
from server.compose.stores import Stores, backup_gauges, environment, master_key, open_blobs
from server.inspection.process import ProcessInspector
from server.roles import SERVICES, Roles
from server.runner import Runner
from server.settings import Settings

Databases = tuple[Database, Database, ReadDatabase]

EVENTS, COMMUNICATIONS = "events.db", "communications.db"
OVERRIDE_COMMAND = "autolearn up --accept-loss REASON"


@dataclass(kw_only=True)
class EmbeddedStores(Stores):
    """The stores of a data directory, its file of read models, which a rebuild exchanges, and the used request ids."""

    read: ReadDatabase
    request_ids: SqliteRequestIds


def open_stores(settings: Settings, name: str, opened: ExitStack, *, read_only: bool = False) -> EmbeddedStores:
    """Open what is stored; `opened` closes it. Whoever writes must have the directory's lock."""
    if not read_only:
        return stores_in(_closed_by(opened, _to_serve(settings, opened)), settings, name)
    offline = keep_unowned(settings.data, opened)
    byte_faults_found, databases = _to_read(settings, opened, offline=offline)
    stores = stores_in(_closed_by(opened, databases), settings, name, read_only=True)
    stores.offline, stores.file_checks = offline, (lambda: byte_faults_found, *stores.file_checks)
    return stores


def open_unowned(settings: Settings, opened: ExitStack) -> EmbeddedStores:
    """Open the logs of a directory that no process writes to, without read models; `opened` closes them."""
    files = [settings.data / EVENTS, settings.data / COMMUNICATIONS]
    faults = byte_faults(files, unowned=True)
    readable = [readable_copy(file, opened) for file in files]  # what was killed has left a write-ahead log
    events, audit = (Database(file, read_only=True, immutable=file.parent == settings.data) for file in readable)
    stores = stores_in(_closed_by(opened, (events, audit, ReadDatabase(MEMORY))), settings, "copy", read_only=True)
    stores.offline, stores.file_checks = True, (lambda: faults, *stores.file_checks)
    return stores


def _closed_by(opened: ExitStack, databases: Databases) -> Databases:
    for database in databases:
        opened.callback(database.close)
    return databases


def stores_in(databases: Databases, settings: Settings, name: str, *, read_only: bool = False) -> EmbeddedStores:
    """Return the stores in these databases: of the log, of the audit log, of the read models."""
    events, audit, read = databases
    feed, audit_log = SqliteFeed(events), SqliteAuditLog(audit, name, settings.reserve)
    store = SqliteEventStore(events)
    small_files = partial(small_file_faults, settings.data, settings.key_file)
    return EmbeddedStores(
        store=store,
        stream_names=store.streams,
        feed=feed,
        follower_feed=feed,
        documents=SqliteDocuments(read),
        history=SqliteHistory(read),
        audit_log=audit_log,
        blobs=open_blobs(settings, read_only=read_only),
        file_checks=(small_files, feed.file_faults, audit_log.file_faults, read.faults),
        receipts=partial(read_receipts, settings.data),
        read=read,
        request_ids=SqliteRequestIds(audit),
    )


def _to_serve(settings: Settings, opened: ExitStack) -> Databases:
    generations = Generations(settings.data)
    serving = generations.current()
    if not serving.exists():
        opened.callback(generations.discard_unserved, serving)
    return Database(settings.data / EVENTS), Database(settings.data / COMMUNICATIONS), ReadDatabase(serving)


def _to_read(settings: Settings, opened: ExitStack, *, offline: bool) -> tuple[list[str], Databases]:
    """Open databases that a backend serves, or that lie there; and say what only their bytes tell."""
    if strange := unusable(settings):
        raise NotAbleError(" ".join(strange))
    generations = Generations(settings.data)
    named = (generations.named() if offline else generations.current()) or generations.fresh()
    files = [settings.data / EVENTS, settings.data / COMMUNICATIONS, named]
    faults = byte_faults(files, unowned=offline)
    if offline:
        files = [readable_copy(file, opened) for file in files]

    def how(file: Path) -> dict[str, bool]:
        return {"read_only": True, "immutable": offline and file.parent == settings.data}

    events, audit = (Database(file, **how(file)) for file in files[:2])
    if offline and is_outdated(files[2], immutable=files[2] == named):
        return faults, (events, audit, ReadDatabase(MEMORY))
    return faults, (events, audit, ReadDatabase(files[2], **how(files[2])))


def open_runner(settings: Settings, lock: DirectoryLock, accept_loss: str | None = None) -> Runner:
    """Put a backend together on its data directory, whose lock it has; it has all roles but `relay`.

    Raises ConflictError where the end of log or audit log is lost, unless there is a reason to accept that.
    """
    with ExitStack() as opened:
        take_directory(settings, lock)
        name = f"embedded-{secrets.token_hex(4)}"
        stores = open_stores(settings, name, opened)
        loss = check_or_accept(stores, settings.data, accept_loss)
        master = checked_key(settings, stores)
        stores.blobs.sweep()
        check_blobs(stores.blobs)
        launcher = make_launcher(settings, scratch_of(settings), stores.blobs)
        opened.callback(launcher.close)
        projection = ProjectionRunner(stores.follower_feed, stores.documents)
        services = make_services(
            settings,
            stores,
            Roles(SERVICES, SERVICES),
            name=name,
            master=master,
            launcher=launcher,
            inspector=ProcessInspector(
                environment(settings),
                partial(adopt, settings, stores, projection),
                partial(served_faults, settings.data, stores.read),
            ),
            request_ids=stores.request_ids,
            recorder=SystemRecorder(stores.audit_log, name, fingerprint(master)),
            # Whoever owned the directory before is dead, so the tasks that it had started are lost.
            is_lost=lambda other: other != name,
            fault=projection.fault_sentence,
            gauges=partial(backup_gauges, lambda: last_backup(settings.data)),
        )
        if accept_loss is not None:
            loss.accept(accept_loss, services.application, services.recorder)
            forget_loss(settings.data, stores)
        let_serve(settings, stores)
        receipts = ReceiptKeeper(settings.data, partial(find_ends_in_place, lock, stores))
        followers = (receipts, services.lost_calls, projection)
        return Runner(settings, services, launcher, followers, serve_calls(settings, services), opened.pop_all())


def check_or_accept(stores: Stores, folder: Path, accept_loss: str | None) -> LossCheck:
    """Return the ends, whole or accepted as they are. Raises ConflictError, or BadInputError where nothing is lost."""
    if accept_loss is not None:
        check_text("reason", accept_loss)
    loss = find_loss(stores, folder)
    if accept_loss is None:
        loss.refuse_loss(override_command=OVERRIDE_COMMAND)
    else:
        loss.require_loss("start without --accept-loss")
    return loss


def find_loss(stores: Stores, folder: Path) -> LossCheck:
    """Return both ends, held against the audit log, the read models and the receipts."""
    receipts = read_receipts(folder)
    of_log = [PositionClaim("receipts.json has the log at", *receipts[LOG])] if LOG in receipts else []
    with suppress(NotAbleError):  # damage is for `verify` to tell and for `rebuild` to mend
        of_log.insert(0, PositionClaim("the read models are at", max(stores.documents.positions().values())))
    of_audit = [PositionClaim("receipts.json has the audit log at", *receipts[AUDIT])] if AUDIT in receipts else []
    return check_claims(stores.store, stores.feed, stores.audit_log, of_log=of_log, of_audit=of_audit)


def forget_loss(folder: Path, stores: Stores) -> None:
    """Let the evidence of an accepted loss go: it would tell of it again."""
    write_receipts(folder, {name: (end.position, end.hash) for name, end in find_ends(stores).items()})
    (folder / "positions.json").unlink(missing_ok=True)  # `local` would wait for positions that are gone


def find_ends(stores: Stores) -> LogEnds:
    """Return where log and audit log end, for `receipts.json`."""
    return {LOG: find_log_end(stores.feed), AUDIT: find_audit_end(stores.audit_log)}


def find_ends_in_place(lock: DirectoryLock, stores: Stores) -> LogEnds:
    """Return the ends as `find_ends`; raises NotAbleError where another directory is at the path now."""
    gone = lock.taken_away()
    if gone is not None:
        raise NotAbleError(f"{gone} is not the one that is served any more.")
    return find_ends(stores)


def let_serve(settings: Settings, stores: EmbeddedStores) -> None:
    """Let the read models serve, or new ones where these are ahead of a log whose loss was accepted."""
    with suppress(NotAbleError):  # damage is for `verify` to tell and for `rebuild` to mend
        if max(stores.documents.positions().values()) > stores.feed.end()[0]:
            stores.read.switch(Generations(settings.data).fresh())
    Generations(settings.data).make_current(Path(stores.read.path))


def checked_key(settings: Settings, stores: EmbeddedStores) -> bytes:
    """Return the master key; raises BadInputError where the directory was begun with another one."""
    master = master_key(settings, stores.store)
    check_master_key(settings.data, fingerprint(master), settings.key_file, partial(recorded_key, stores))
    return master


def known_key(folder: Path, stores: Stores) -> str | None:
    """Return the fingerprint of the key that a data directory, or a back-up, was begun with; None: it is not known."""
    found = read_format(folder)
    return (found.master_key if found else None) or recorded_key(stores)


def recorded_key(stores: Stores) -> str | None:
    """Return the fingerprint that the audit log has of the last process here; None where it has none."""
    for started in stores.audit_log.page({"operation": "process start"}, None, 1):
        what, _, key = started.content.causation.partition(":")
        return key if what == "master-key" else None
    return None


def take_directory(settings: Settings, lock: DirectoryLock) -> None:
    """Look at a data directory before it is used, and lock its log; raises ConflictError for one of a newer version."""
    if strange := unusable(settings):
        raise ConflictError(" ".join(strange))
    check_format(settings.data)
    lock.hold(settings.data / EVENTS)


def unusable(settings: Settings) -> list[str]:
    """Say why a data directory must not even be opened."""
    return [*unfinished_restore(settings.data), *special_files_in(settings.data, settings.key_file)]


@contextmanager
def fresh_documents(settings: Settings, projection: str | None) -> Iterator[tuple[str, SqliteDocuments]]:
    """Make a file to rebuild a projection in, or all (None), beside the one that serves; yields its path, too."""
    generations = Generations(settings.data)
    file = generations.fresh()
    if projection is not None:
        with closing(ReadDatabase(generations.current(), read_only=True)) as serving:
            serving.copy_without(projection, file)
    database = ReadDatabase(file)
    try:
        yield str(file), SqliteDocuments(database)
    finally:
        database.close()


def adopt(settings: Settings, stores: EmbeddedStores, projection: ProjectionRunner, file: str) -> Future[None]:
    """Let rebuilt read models catch up and serve."""
    fresh = ReadDatabase(file)

    def switch() -> None:
        fresh.close()
        stores.read.switch(file)
        Generations(settings.data).make_current(Path(file))

    done = projection.adopt(SqliteDocuments(fresh), switch)
    done.add_done_callback(lambda _: fresh.close())
    return done
