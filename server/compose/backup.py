"""A back-up put together: both logs of either mode copied to a folder at one position, and verified there.

It reads the stores beside the processes that serve, as `verify` does, so nothing has to stop.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from adapters.embedded.backup.folder import BackupNote, locked, note_to_continue, write_note
from adapters.embedded.directory.format import NAME as FORMAT_FILE
from adapters.embedded.directory.format import DirectoryFormat
from adapters.embedded.directory.last_backup import note_backup
from adapters.embedded.directory.receipts import AUDIT, LOG, write_receipts
from adapters.embedded.schema import FORMAT
from adapters.files.blob_copy import BlobCopy
from adapters.files.blobs import folder_of
from adapters.host.files import write_whole
from adapters.host.private_files import make_own_folder
from adapters.security.keys import read_master_key
from autolearn.secret_files import write_secret
from domain.errors import BadInputError, ConflictError, NotFoundError
from projections.verification.tail_check import find_audit_end, find_log_end
from server.compose.copies import Ends, Step, check_files, copy_logs, settings_of_copy
from server.compose.embedded import EVENTS, known_key, open_stores
from server.compose.folders import prepare_places
from server.compose.stores import Stores, SystemClock, open_blobs
from server.settings import Settings

KEY_FILE = "master.key"
DAMAGED = "What comes before is copied; `autolearn verify` lists what is wrong."


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up: stores, id (distributed), the master key's fingerprint; and how a back-up is noted."""

    stores: Stores
    installation: str
    fingerprint: str | None
    note: Callable[[datetime, int], None]


def back_up(settings: Settings, folder: Path, *, with_master_key: bool = False) -> Iterator[Step]:
    """Yield progress (`{step, position, of}`), last what is in the back-up: `{ok, position, head, …}`.

    With `damage` in the last step it is not finished. `faults` and `lost_blobs` are the installation's own.

    Raises BadInputError (nothing to back up, a folder that cannot be used), ConflictError (another history, damage).
    """
    folder = folder.absolute()
    _check_folder(settings, folder)
    with ExitStack() as opened:
        source = _open_source(settings, opened)
        audit = find_audit_end(source.stores.audit_log)
        ends = Ends(find_log_end(source.stores.feed), audit)
        note_to_continue(folder)  # a folder of something else stays as it is
        make_own_folder(folder)
        opened.enter_context(locked(folder))
        before = note_to_continue(folder)  # another process may have finished one until now
        key = _key_to_copy(settings, folder) if with_master_key else None
        if not before.finished:
            write_note(folder, BackupNote(source.installation))  # first of all: without it the folder is not ours
        copy = settings_of_copy(folder)
        prepare_places(copy)
        yield from copy_logs(source.stores, ends, folder, DAMAGED)
        write_whole(folder / FORMAT_FILE, DirectoryFormat(FORMAT, source.fingerprint).text)
        blobs = BlobCopy(open_blobs(settings, read_only=True), open_blobs(copy))
        found: Step = {}
        for found in check_files(folder, ends, blobs):
            if "step" in found:
                yield found
        if not found["damage"]:
            _finish(folder, source, ends, blobs, key)
        yield _result(folder, ends, blobs, found) | {
            "fingerprint": source.fingerprint,
            "key_file": str(settings.key_file),
        }


def _finish(folder: Path, source: Source, ends: Ends, blobs: BlobCopy, key: str | None) -> None:
    """Say in the back-up that it is whole, and in the installation when it was made, if nothing is lacking."""
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    if key is not None and not (folder / KEY_FILE).exists():
        write_secret(folder / KEY_FILE, key)
    log, audit = (ends.log.position, ends.log.hash), (ends.audit.position, ends.audit.hash)
    write_receipts(folder, {LOG: log, AUDIT: audit})
    at = SystemClock().now()
    write_note(folder, BackupNote.done(source.installation, at, log, audit, tuple(blobs.lost)))
    if not blobs.lost:
        source.note(at, ends.log.position)


def _result(folder: Path, ends: Ends, blobs: BlobCopy, found: Step) -> Step:
    return {
        "ok": not (found["damage"] or found["faults"] or blobs.lost),
        "backup": str(folder),
        "position": ends.log.position,
        "head": ends.log.hash.hex(),
        "audit_position": ends.audit.position,
        "blobs_copied": blobs.copied,
        "bytes_copied": blobs.bytes,
        "master_key": "in the back-up" if (folder / KEY_FILE).exists() else "not in the back-up",
        "lost_blobs": blobs.lost,
        "damage": found["damage"],
        "faults": found["faults"],
    }


def _open_source(settings: Settings, opened: ExitStack) -> Source:
    if settings.mode == "distributed":
        from server.compose.backup_distributed import open_source  # noqa: PLC0415 - the drivers of one mode

        return open_source(settings, opened)
    if not (settings.data / EVENTS).exists():
        raise BadInputError(
            f"There is nothing to back up: {settings.data} has no log. Name another data directory with --data, or "
            "the mode with --mode."
        )
    stores = open_stores(settings, "backup", opened, read_only=True)
    return Source(stores, "", known_key(settings.data, stores), partial(note_backup, settings.data))


def _check_folder(settings: Settings, folder: Path) -> None:
    """Refuse a folder that is, or lies in, what is backed up: tasks read the blobs, and a lost disk takes both."""
    for place in (settings.data, folder_of(settings.blobs_url)):
        if place is not None and folder.resolve().is_relative_to(place.resolve()):
            raise BadInputError(f"{folder} is in {place}, which is backed up: name a folder elsewhere.")


def _key_to_copy(settings: Settings, folder: Path) -> str:
    """Return the text of the master key; raises BadInputError where there is none, ConflictError where another is."""
    try:
        key = read_master_key(settings.key_file)
        if (folder / KEY_FILE).exists() and read_master_key(folder / KEY_FILE) != key:
            raise ConflictError(f"{folder} has the master key of another installation.")
    except NotFoundError:
        raise BadInputError(
            f"There is no master key at {settings.key_file}: AUTOLEARN_MASTER_KEY_FILE names it."
        ) from None
    return settings.key_file.read_text(encoding="utf-8")
