"""A restore put together: the logs of a back-up copied into an empty installation, and verified there."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.backup.folder import BackupNote, finished_note, locked
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
from server.compose.copies import Ends, Step, check_files, copy_logs, settings_of_copy
from server.compose.embedded import known_key, open_unowned
from server.compose.stores import Stores, open_blobs
from server.settings import Settings

Restored = tuple[BlobCopy, list[Step]]  # what became of the blobs, and the faults that the installation had before


@dataclass(frozen=True, slots=True)
class Backup:
    """An opened back-up. `fingerprint` is that of the master key that its clients' keys were made from."""

    folder: Path
    settings: Settings
    note: BackupNote
    stores: Stores
    ends: Ends
    fingerprint: str | None

    @classmethod
    def open(cls, folder: Path, opened: ExitStack) -> Backup:
        """Open it for reading. Raises BadInputError for what is none, ConflictError for one that lacks its end."""
        note = finished_note(folder)
        opened.enter_context(locked(folder, shared=True))
        settings = settings_of_copy(folder)
        stores = open_unowned(settings, opened)
        return cls(folder, settings, note, stores, _ends(stores, note), known_key(folder, stores))

    def checked(self, steps: Iterator[Step]) -> Generator[Step, None, list[Step]]:
        """Pass on the steps of the check of a copy, return its faults; raises ConflictError for a damaged one."""
        found: Step = {}
        for found in steps:
            if "step" in found:
                yield found
        if found["damage"]:
            raise ConflictError(f"What was restored from {self.folder} is damaged: {found['damage'][0]}.")
        return list(found["faults"])

    def check_keys(self, settings: Settings) -> None:
        """Raise BadInputError where a master key, there or in the back-up, is another installation's."""
        for file in (settings.key_file, self.folder / KEY_FILE):
            if file.exists() and self.fingerprint not in {None, fingerprint(read_master_key(file))}:
                raise BadInputError(
                    f"The master key {file} does not fit the back-up: its clients' keys were made from another one."
                )

    def put_key(self, settings: Settings) -> None:
        """Put the master key of the back-up, if it has one, in its place, unless one is there."""
        if (self.folder / KEY_FILE).exists() and not settings.key_file.exists():
            write_secret(settings.key_file, (self.folder / KEY_FILE).read_text(encoding="utf-8"))


def restore(settings: Settings, folder: Path) -> Iterator[Step]:
    """Yield progress (`{step, position, of}`), last what is restored; until then nothing starts on the installation.

    Raises BadInputError (no back-up, another master key), ConflictError (not empty, in use, a damaged back-up).
    """
    with ExitStack() as opened:
        backup = Backup.open(folder.absolute(), opened)
        backup.check_keys(settings)
        if settings.mode == "distributed":
            from server.compose.backup_distributed import into_database  # noqa: PLC0415 - the drivers of one mode

            blobs, faults = yield from into_database(settings, backup, opened)
        else:
            blobs, faults = yield from _into_directory(settings, backup, opened)
        yield {
            "ok": not (faults or blobs.lost),
            "position": backup.ends.log.position,
            "head": backup.ends.log.hash.hex(),
            "audit_position": backup.ends.audit.position,
            "made": backup.note.finished,
            "blobs_copied": blobs.copied,
            "master_key": str(settings.key_file) if settings.key_file.exists() else None,
            "key_file": str(settings.key_file),
            "fingerprint": backup.fingerprint,
            "lost_blobs": [it for it in blobs.lost if it in backup.note.lost_blobs],
            "damaged_blobs": [it for it in blobs.lost if it not in backup.note.lost_blobs],
            "faults": faults,
        }


def _into_directory(settings: Settings, backup: Backup, opened: ExitStack) -> Generator[Step, None, Restored]:
    """Fill an empty data directory."""
    opened.enter_context(lock_directory(settings))
    begin_restore(settings.data, backup.folder)
    blobs = BlobCopy(open_blobs(backup.settings, read_only=True), open_blobs(settings))
    advice = (
        "Nothing starts on what was restored of it: restore another back-up. "
        f"`autolearn verify --data {backup.folder}` lists what is wrong."
    )
    yield from copy_logs(backup.stores, backup.ends, settings.data, advice, " of the back-up")
    faults = yield from backup.checked(check_files(settings.data, backup.ends, blobs))
    write_whole(settings.data / FORMAT_FILE, DirectoryFormat(FORMAT, backup.fingerprint).text)
    backup.put_key(settings)
    end_restore(settings.data)
    return blobs, faults


def _ends(stores: Stores, note: BackupNote) -> Ends:
    """Return the ends that `backup.json` names, which a later back-up that was interrupted may have passed."""
    ends = Ends(
        LogEnd("the log of the back-up", *note.log_end, lambda at: hash_at(stores.feed, at)),
        LogEnd("the audit log of the back-up", *note.audit_end, lambda at: record_hash_at(stores.audit_log, at)),
    )
    for end in (ends.log, ends.audit):
        if end.hash_at(end.position) != end.hash:
            raise ConflictError(f"{end.name} is damaged: it lacks what `backup.json` says of position {end.position}.")
    return ends
