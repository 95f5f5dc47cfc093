"""What a data directory says of itself in `format.json`: its format, and the fingerprint of its master key.

A file that was garbled is written again from what the log and the audit log say: `check` tells one from what is meant.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.embedded.log.tables import FORMAT, LOG
from adapters.host.files import write_whole
from domain.errors import BadInputError, ConflictError

__all__ = ["FORMAT", "Said", "check_format", "check_master_key", "said_in"]

log = logging.getLogger(__name__)

UNCHECKED: Final = 1  # the format whose file had no `check`
EVENTS: Final = "events.db"
HEX_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Said:
    """What the file says; the fingerprint is noted once there is a key."""

    format: int
    master_key: str | None = None

    @property
    def check(self) -> str:
        """Return what tells a garbled file."""
        return hashlib.sha256(f"{self.format} {self.master_key}".encode()).hexdigest()[:HEX_DIGITS]

    @property
    def text(self) -> str:
        """Return the file's content."""
        key = {} if self.master_key is None else {"master_key": self.master_key}
        return json.dumps({"format": self.format, **key, "check": self.check})


def said_in(folder: Path) -> Said | None:
    """Return what the file says; None where there is none, or where it is garbled."""
    try:
        content = json.loads(_file(folder).read_bytes())
        said = Said(content["format"], content.get("master_key"))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    if type(said.format) is not int or not isinstance(said.master_key, str | None):
        return None
    # The format before had no check; and no check at all is no garbled one, so that a newer version is not overlooked.
    is_ours = UNCHECKED < said.format <= FORMAT or "check" in content
    return said if not is_ours or content.get("check") == said.check else None


def check_format(folder: Path) -> None:
    """Write the format of this version into a new data directory, mend a garbled file.

    Raises ConflictError for a directory of a newer version, and for one that is not AutoLearn's.
    """
    path, said, stored = _file(folder), said_in(folder), _format_of_log(folder / EVENTS)
    if said is None and path.exists():
        if stored is None:
            raise ConflictError(f"{path} cannot be read, and there is no log: this is no data directory of AutoLearn.")
        log.warning("%s was garbled: it is written again from what the log and the audit log say", path)
    found = max(said.format if said else 0, stored or 0)
    if found > FORMAT:
        msg = f"A newer AutoLearn wrote {path.parent} (format {found}; this version knows {FORMAT}): use that version."
        raise ConflictError(msg, found=found, known=FORMAT)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, Said(FORMAT).text)


def check_master_key(
    folder: Path, fingerprint: str, file: Path, archived: Callable[[], str | None] = lambda: None
) -> None:
    """Raise BadInputError where the directory was begun with another master key than `file`; note format and key.

    `archived` is asked for the fingerprint where the file does not tell it. The caller has the directory's lock, has
    checked the format, and has brought the stores to it.
    """
    said = said_in(folder)
    known = (said.master_key if said else None) or archived()
    if known not in {None, fingerprint}:
        raise BadInputError(
            f"The master key {file} does not fit the data directory {folder}: "
            "its clients' keys were made from another one. Restore that file."
        )
    if said != Said(FORMAT, fingerprint):
        write_whole(_file(folder), Said(FORMAT, fingerprint).text)


def _format_of_log(events: Path) -> int | None:
    """Return the format that the log itself bears; None where there is no log, or none that can be read."""
    if not events.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{events.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'commits'").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    if not tables or application not in {0, LOG.application}:
        return None
    return int(version) or UNCHECKED


def _file(folder: Path) -> Path:
    return folder / "format.json"
