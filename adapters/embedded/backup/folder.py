"""The folder of a back-up: who uses it now, and `backup.json`, which says how far its last finished back-up goes."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.host.directory_lock import UNSUPPORTED
from adapters.host.files import open_regular, write_whole
from domain.errors import BadInputError, ConflictError
from projections.ports import Anchor

NAME: Final = "backup.json"
DRAFT: Final = "backup.new"  # of `write_whole`, left by a process that was killed
FORMAT: Final = 1
RECEIPT: Final = re.compile(r"(0|[1-9][0-9]{0,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class BackupNote:
    """What `backup.json` says. `finished` is empty until the first back-up in the folder is finished.

    `log` and `audit` are receipts (POSITION:HASH) of the ends. `installation` is the id of a distributed installation.
    `lost_blobs` are missing or damaged in the installation itself.
    """

    installation: str = ""
    finished: str = ""
    log: str = ""
    audit: str = ""
    lost_blobs: tuple[str, ...] = ()
    format: int = FORMAT

    @classmethod
    def done(cls, installation: str, at: datetime, log: Anchor, audit: Anchor, lost: tuple[str, ...]) -> BackupNote:
        return cls(installation, at.isoformat(), _receipt(log), _receipt(audit), lost)

    @property
    def log_end(self) -> Anchor:
        return _anchor(self.log)

    @property
    def audit_end(self) -> Anchor:
        return _anchor(self.audit)


def read_note(folder: Path) -> BackupNote | None:
    """Return what `backup.json` says; None where there is none. Raises BadInputError for one that is not ours."""
    try:
        with open_regular(folder / NAME) as file:
            content = json.loads(file.read())
        note = BackupNote(**content | {"lost_blobs": tuple(content["lost_blobs"])})
        receipts = [note.log, note.audit] if note.finished else []
        if not all(RECEIPT.fullmatch(it) for it in receipts):
            raise ValueError  # noqa: TRY301 - handled like all that is garbled
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        raise BadInputError(f"{folder / NAME} cannot be read: it was garbled, or is not of a back-up.") from None
    if note.format != FORMAT:
        raise ConflictError(f"A newer AutoLearn made the back-up {folder}: use that version.")
    return note


def write_note(folder: Path, note: BackupNote) -> None:
    write_whole(folder / NAME, json.dumps(asdict(note)))


def note_to_continue(folder: Path) -> BackupNote:
    """Return the note of a folder to back up into, or an empty one; raises ConflictError for other folders."""
    note = read_note(folder) if folder.is_dir() else None
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if note is None and (names := sorted(present - {DRAFT})):
        raise ConflictError(f"{folder} is not empty and no back-up: it has {names[0]}. Name a new or an empty folder.")
    return note or BackupNote()


def finished_note(folder: Path) -> BackupNote:
    """Return the note of a back-up that can be restored; raises BadInputError."""
    note = read_note(folder)
    if note is None:
        raise BadInputError(f"{folder} is not a back-up: it has no {NAME}.")
    if not note.finished:
        raise BadInputError(f"The back-up in {folder} was never finished: call `autolearn backup` again.")
    return note


@contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Let no other back-up write to the folder meanwhile; `shared` is for a reader. Raises ConflictError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConflictError(f"Another process writes or reads the back-up {folder}: wait for its end.") from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            os.close(descriptor)
            raise
    try:
        yield
    finally:
        os.close(descriptor)


def _receipt(end: Anchor) -> str:
    return f"{end[0]}:{end[1].hex()}"


def _anchor(receipt: str) -> Anchor:
    position, _, found = receipt.partition(":")
    return int(position), bytes.fromhex(found)
