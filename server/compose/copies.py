"""Copies of the logs put together, for back-up and restore: filled up to a position, then checked with their blobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.audit_log.chain import RecordChain, RecordLinks
from adapters.embedded.audit_log.record_schema import AUDIT_LOG
from adapters.embedded.backup.log_copy import LogCopy, entries_until
from adapters.embedded.log.commit_schema import EVENT_LOG
from adapters.files.blob_copy import BlobCopy
from adapters.log.chain import CommitChain, LastEntry, faults_along
from domain.errors import ConflictError
from projections.verification.stores import InspectedStores
from projections.verification.tail_check import LogEnd, hash_at, record_hash_at
from projections.verification.verify import verify
from server.compose.embedded import COMMUNICATIONS, EVENTS, open_unowned
from server.compose.stores import Stores
from server.settings import Settings

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of log and audit log up to which a copy goes.

    That of the audit log is read first, so no record of a copy speaks of a position that the copy lacks.
    """

    log: LogEnd
    audit: LogEnd


def settings_of_copy(folder: Path) -> Settings:
    """Return settings by which a folder is a data directory of the embedded mode, whatever the environment says."""
    return Settings(mode="embedded", data=folder, blobs=None, master_key_file=None)


def copy_logs(source: Stores, ends: Ends, folder: Path, advice: str, of: str = "") -> Iterator[Step]:
    """Copy both logs up to their ends into the files of a folder, which may have a part of them already.

    First the log, so that whenever this is interrupted the audit log speaks of nothing that is not there.
    Raises ConflictError where the files have another history, or the source is damaged; `advice` says what follows
    from that, and `of` names the source after "The log" (" of the back-up").
    """
    read, feed = source.audit_log.read, source.feed
    with closing(LogCopy(folder / EVENTS, EVENT_LOG, f"The log{of}", advice)) as log:
        _refuse_other_history(folder, ends.log, log.last)
        chain = CommitChain(log.last.position, log.last.hash)
        for position in log.run(entries_until(feed.raw_after, log.last.position, ends.log.position), chain):
            yield {"step": "log", "position": position, "of": ends.log.position}
    with closing(LogCopy(folder / COMMUNICATIONS, AUDIT_LOG, f"The audit log{of}", advice)) as audit:
        _refuse_other_history(folder, ends.audit, audit.last)
        links = RecordLinks(audit.last.position, audit.last.hash)
        for position in audit.run(entries_until(read, audit.last.position, ends.audit.position), links):
            yield {"step": "audit log", "position": position, "of": ends.audit.position}


def check_files(folder: Path, ends: Ends, blobs: BlobCopy) -> Iterator[Step]:
    """Check the files of a folder as `check_copy` does."""
    with ExitStack() as opened:
        yield from check_copy(open_unowned(settings_of_copy(folder), opened), ends, blobs)


def check_copy(copy: InspectedStores, ends: Ends, blobs: BlobCopy) -> Iterator[Step]:
    """Compute both chains of a copy again, then verify it and fetch its blobs. Last, `{damage, faults}`.

    `damage` is what the copy has and its source has not: then it is worth nothing. A copy whose chains end as those of
    its source holds what that holds, so `faults` of `verify` are in the source as well. Read models need not be there.
    Raises what kept a blob from being copied: a full disk, a store that is away.
    """
    if damage := list(_damage(copy, ends)):
        yield {"damage": damage, "faults": []}
        return
    checked = replace(copy, blobs=blobs, offline=True, file_checks=())
    for step in verify(checked, until=(ends.log.position, ends.log.hash)):
        if blobs.failure is not None:
            raise blobs.failure
        yield step if "step" in step else {"damage": [], "faults": step["faults"]}


def _damage(copy: InspectedStores, ends: Ends) -> Iterator[str]:
    for check in copy.file_checks:
        yield from check()
    log, audit = ends.log, ends.audit
    for at, what in faults_along(CommitChain(), entries_until(copy.feed.raw_after, 0, log.position)):
        yield f"the log at {at}: {what}"
    for at, what in faults_along(RecordChain(), entries_until(copy.audit_log.read, 0, audit.position)):
        yield f"the audit log at {at}: {what}"
    if hash_at(copy.feed, log.position) != log.hash or record_hash_at(copy.audit_log, audit.position) != audit.hash:
        yield "the logs do not end as those that they were copied from"


def _refuse_other_history(folder: Path, end: LogEnd, last: LastEntry) -> None:
    if end.hash_at(last.position) == last.hash:
        return
    if end.position < last.position:
        what = f"{end.name} ends at {end.position}, that in the back-up at {last.position}: it was restored from an "
        what += "older back-up, or this is another installation"
    else:
        what = f"{end.name} has something else at position {last.position}: it is another installation's, or rewritten"
    raise ConflictError(f"The back-up in {folder} cannot be continued: {what}. Name a new or an empty folder.")
