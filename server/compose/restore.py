"""A restore put together: the logs of a back-up copied into an empty installation, and verified there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from adapters.embedded.backup.folder import finished_note, locked
from adapters.embedded.directory.format import NAME as FORMAT_FILE
from adapters.embedded.directory.format import DirectoryFormat
from adapters.embedded.directory.restoring import begin_restore, end_restore
from adapters.embedded.schema import FORMAT
from adapters.files.blob_copy import BlobCopy
from adapters.host.files import write_whole
from adapters.security.keys import fingerprint, read_master_key
from autolearn.secret_files import write_secret
from domain.errors import BadInputError, ConflictError
from projections.verification.tail_check import LogEnd, hash_at, record_hash_at
from server.compose import lock_directory
from server.compose.backup import KEY_FILE
from server.compose.copies import Ends, Step, blobs_of, files_in, fill_files, verify_files
from server.compose.embedded import known_key, open_unowned
from server.compose.stores import Stores
from server.settings import Settings


def restore(settings: Settings, folder: Path) -> Iterator[Step]:
    """Yield progress (`{step, position, of}`), last what is restored; until then nothing starts on the installation.

    Raises BadInputError (no back-up, another master key), ConflictError (not empty, in use, a damaged back-up).
    """
    folder = folder.absolute()
    note = finished_note(folder)
    with ExitStack() as opened:
        opened.enter_context(locked(folder, shared=True))
        copy = files_in(folder)
        stores = open_unowned(copy, opened)
        ends = _ends(stores, note.log_end, note.audit_end)
        known = known_key(folder, stores)
        key = _checked_key(settings, folder, known)
        opened.enter_context(lock_directory(settings))
        begin_restore(settings.data, folder)
        blobs = BlobCopy(blobs_of(copy, read_only=True), blobs_of(settings))
        yield from _into_directory(settings, folder, stores, ends, blobs)
        write_whole(settings.data / FORMAT_FILE, DirectoryFormat(FORMAT, known).text)
        if key is not None and not settings.key_file.exists():
            write_secret(settings.key_file, key)
        end_restore(settings.data)
        yield {
            "ok": not blobs.lost,
            "position": ends.log.position,
            "head": ends.log.hash.hex(),
            "audit_position": ends.audit.position,
            "made": note.finished,
            "blobs_copied": blobs.copied,
            "master_key": str(settings.key_file) if settings.key_file.exists() else None,
            "key_file": str(settings.key_file),
            "fingerprint": known,
            "lost_blobs": blobs.lost,
        }


def _into_directory(settings: Settings, folder: Path, stores: Stores, ends: Ends, blobs: BlobCopy) -> Iterator[Step]:
    yield from fill_files(stores, ends, settings.data)
    for step in verify_files(settings.data, ends, blobs):
        if "step" in step:
            yield step
        elif step["faults"]:
            raise ConflictError(f"The back-up {folder} is damaged: {step['faults'][0]['what']}.")


def _ends(stores: Stores, log: tuple[int, bytes], audit: tuple[int, bytes]) -> Ends:
    """Return the ends that `backup.json` names, which a later back-up that was interrupted may have passed."""
    ends = Ends(
        LogEnd("the log of the back-up", *log, lambda at: hash_at(stores.feed, at)),
        LogEnd("the audit log of the back-up", *audit, lambda at: record_hash_at(stores.audit_log, at)),
    )
    for end in (ends.log, ends.audit):
        if end.hash_at(end.position) != end.hash:
            raise ConflictError(f"{end.name} is damaged: it lacks what `backup.json` says of position {end.position}.")
    return ends


def _checked_key(settings: Settings, folder: Path, known: str | None) -> str | None:
    """Return the text of the back-up's master key, if it has one; raises BadInputError where a key is another one's."""
    for file in (settings.key_file, folder / KEY_FILE):
        if file.exists() and known not in {None, fingerprint(read_master_key(file))}:
            raise BadInputError(
                f"The master key {file} does not fit the back-up: its clients' keys were made from another one."
            )
    return (folder / KEY_FILE).read_text(encoding="utf-8") if (folder / KEY_FILE).exists() else None
