"""Verification as the command `verify` runs it, in this process, up to its first fault.

Of one changed file first those of its checks that are quick: verify runs them all, and reports all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

from pydantic_core import to_json

import projections.verification.verify
from adapters.audit_log.chain import chain_faults as audit_chain_faults
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.integrity import wal_faults
from adapters.embedded.log.feed import SqliteFeed
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.history import SqliteHistory
from adapters.files.spill_table import SqliteSpillTable
from adapters.log.chain import chain_faults
from domain.errors import AutoLearnError, NotAbleError
from projections.verification.read_models import Fingerprints, LoggedVersions, StoredVersions, Version
from server.compose import open_stores
from server.settings import Settings

EVERYTHING = 1000


def first_fault(data: Path, file: str = "") -> str | None:
    """Return the first fault of a data directory at rest, of which this file was changed; None where there is none."""
    quick = {"events.db": of_events, "communications.db": of_communications, "read-models-1.db": of_read_models}
    if file.endswith("-wal"):
        for fault in wal_faults(data / file.removesuffix("-wal")):
            return fault
    if file in quick:
        try:
            for fault in quick[file](data):
                return fault
        except AutoLearnError as unreadable:
            return unreadable.sentence
    return whole(data)


def whole(data: Path) -> str | None:
    """Return the first fault that a whole verification finds."""
    projections.verification.verify.REACHED_WITHIN = 0.0  # nobody is there who could still fold anything
    with ExitStack() as opened:
        try:
            stores = open_stores(settings(data), "inspection", opened, read_only=True)
        except NotAbleError as unreadable:
            return unreadable.sentence
        run = projections.verification.verify.VerificationRun(stores)
        for _ in run.run():
            if run.faults:
                return run.faults[0][1]
    return None


@cache
def settings(data: Path) -> Settings:
    """Return the settings of a data directory."""
    return Settings(data=data)


def of_events(data: Path) -> Iterator[str]:
    """Find faults of the log."""
    with closing(Database(data / "events.db", read_only=True)) as database:
        feed = SqliteFeed(database)
        yield from whats(chain_faults(feed.raw_after(0, EVERYTHING)))
        yield from feed.file_faults()


def of_communications(data: Path) -> Iterator[str]:
    """Find faults of the audit log."""
    with closing(Database(data / "communications.db", read_only=True)) as database:
        audit_log = SqliteAuditLog(database, "inspection")
        yield from whats(audit_chain_faults(audit_log.read(0, EVERYTHING)))
        yield from audit_log.file_faults()


def of_read_models(data: Path) -> Iterator[str]:
    """Find faults of the read models as verify does, in two steps; what the log says of them is computed once."""
    position, as_stored, logged = logged_in(data)
    with closing(ReadDatabase(data / "read-models-1.db", read_only=True)) as read:
        yield from read.faults()
        stored = StoredVersions(SqliteDocuments(read), SqliteHistory(read), position)
        try:
            differ = as_stored.unlike(stored.fingerprints())
            unlike = logged.unlike(Fingerprints(stored)) if differ else ()
        except Exception as error:  # noqa: BLE001 - verify says so of whatever a damaged store raises
            yield str(error)
        else:
            yield from map(str, unlike)


@cache
def logged_in(data: Path) -> tuple[int, Fingerprints, Fingerprints]:
    """Return where the log ends, and the sums of what it says: as it is stored, and however it is spelled."""
    as_stored, found = Fingerprints(), Fingerprints()

    def take(version: Version) -> None:
        as_stored.add_as_stored(version, to_json)
        found.add(version)

    with closing(Database(data / "events.db", read_only=True)) as database, SqliteSpillTable() as spill:
        feed = SqliteFeed(database)
        for _ in LoggedVersions(feed, feed.end()[0], spill).run(take):
            pass
        return feed.end()[0], as_stored, found


def whats(faults: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Leave the positions out."""
    return (what for _, what in faults)
