"""`format.json`: the format of a data directory, and the fingerprint of its master key.

A garbled file is told by its `check`, and is written again from what the log and the audit log say.
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

from adapters.embedded.log.commit_schema import APPLICATION
from adapters.embedded.schema import FORMAT
from adapters.host.files import write_whole
from domain.errors import BadInputError, ConflictError

logger = logging.getLogger(__name__)

WITHOUT_CHECK: Final = 1  # the format whose file had no `check`
NAME: Final = "format.json"
HEX_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class DirectoryFormat:
    """The file's content; the fingerprint is there once there is a key."""

    format: int
    master_key: str | None = None

    @property
    def check(self) -> str:
        return hashlib.sha256(f"{self.format} {self.master_key}".encode()).hexdigest()[:HEX_DIGITS]

    @property
    def text(self) -> str:
        key = {} if self.master_key is None else {"master_key": self.master_key}
        return json.dumps({"format": self.format, **key, "check": self.check})


def read_format(folder: Path) -> DirectoryFormat | None:
    """Return what the file says; None where it is missing or garbled."""
    try:
        content = json.loads((folder / NAME).read_bytes())
        found = DirectoryFormat(content["format"], content.get("master_key"))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    if type(found.format) is not int or not isinstance(found.master_key, str | None):
        return None
    # The format before had no check; and a newer version may have none, so a missing one is not a sign of damage there.
    is_ours = WITHOUT_CHECK < found.format <= FORMAT or "check" in content
    return found if not is_ours or content.get("check") == found.check else None


def check_format(folder: Path) -> None:
    """Write the format of this version into a new data directory, and mend a garbled file.

    Raises ConflictError for a directory of a newer version, and for one that is not AutoLearn's.
    """
    path, found, stored = folder / NAME, read_format(folder), _format_of_log(folder / "events.db")
    if found is None and path.exists():
        if stored is None:
            raise ConflictError(
                f"{path} cannot be read, and there is no log: this is not a data directory of AutoLearn."
            )
        logger.warning("%s was garbled: it is written again from what the log and the audit log say", path)
    newest = max(found.format if found else 0, stored or 0)
    if newest > FORMAT:
        msg = f"A newer AutoLearn wrote {folder} (format {newest}; this version knows {FORMAT}): use that version."
        raise ConflictError(msg, found=newest, known=FORMAT)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, DirectoryFormat(FORMAT).text)


def check_master_key(
    folder: Path, fingerprint: str, file: Path, recorded: Callable[[], str | None] = lambda: None
) -> None:
    """Raise BadInputError where the directory was begun with another master key than `file`; write format and key.

    `recorded` returns the audit log's fingerprint, for a file that has none. The caller has the directory's lock, has
    checked the format, and has migrated the stores.
    """
    found = read_format(folder)
    known = (found.master_key if found else None) or recorded()
    if known not in {None, fingerprint}:
        raise BadInputError(
            f"The master key {file} does not fit the data directory {folder}: "
            "its clients' keys were made from another one. Restore that file."
        )
    if found != DirectoryFormat(FORMAT, fingerprint):
        write_whole(folder / NAME, DirectoryFormat(FORMAT, fingerprint).text)


def _format_of_log(events: Path) -> int | None:
    """Return the format in the log's own header; None where there is no log, or none that can be read."""
    if not events.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{events.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'commits'").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    if not tables or application not in {0, APPLICATION}:
        return None
    return int(version) or WITHOUT_CHECK
