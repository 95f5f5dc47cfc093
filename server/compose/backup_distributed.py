"""The distributed ends of a back-up and of a restore: a MongoDB that is read, and an empty one that is filled."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from adapters.distributed.installation import (
    installation_id,
    note_backup,
    noted_master_key,
    refuse_unfinished_recovery,
)
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.recovery.restore import Restore
from adapters.embedded.backup.log_copy import entries_until
from adapters.files.blob_copy import BlobCopy
from domain.errors import BadInputError
from server.compose.backup import Source
from server.compose.copies import Step, check_copy
from server.compose.distributed import open_database, open_stores
from server.compose.folders import prepare_places
from server.compose.stores import open_blobs

if TYPE_CHECKING:
    from server.compose.restore import Backup, Restored
    from server.settings import Settings


def open_source(settings: Settings, opened: ExitStack) -> Source:
    """Open a database to back it up; raises BadInputError where there is nothing in it."""
    mongo = open_database(settings, opened, seconds=None, make=False)
    refuse_unfinished_recovery(mongo)
    if not MongoFeed(mongo).end()[0]:
        raise BadInputError(f"There is nothing to back up: {settings.servers.partition(',')[0]} has no log.")
    stores = open_stores(settings, "backup", opened, mongo, read_only=True)
    return Source(stores, installation_id(mongo), noted_master_key(mongo), partial(note_backup, mongo))


def into_database(settings: Settings, backup: Backup, opened: ExitStack) -> Generator[Step, None, Restored]:
    """Fill an empty database."""
    mongo = open_database(settings, opened, seconds=None, make=False)
    restoring = Restore(mongo, f"{backup.note.installation or backup.folder} at {backup.note.log}")
    restoring.begin(backup.note.installation)
    prepare_places(settings)
    ends, source = backup.ends, backup.stores
    of = {"log": ends.log.position, "audit log": ends.audit.position}
    commits = entries_until(source.feed.raw_after, 0, ends.log.position)
    for step in restoring.fill(commits, entries_until(source.audit_log.read, 0, ends.audit.position)):
        yield step | {"of": of[step["step"]]}
    blobs = BlobCopy(open_blobs(backup.settings, read_only=True), open_blobs(settings))
    stores = open_stores(settings, "restore", opened, mongo, read_only=True)
    # The small documents are left out: the mark of this restore would be among the faults.
    faults = yield from backup.checked(check_copy(replace(stores, file_checks=()), ends, blobs))
    backup.put_key(settings)
    restoring.end(backup.fingerprint)
    return blobs, faults
