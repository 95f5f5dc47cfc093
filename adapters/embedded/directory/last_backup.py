"""`last-backup.json`: when the last back-up of a data directory was finished, for the metrics."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from adapters.host.files import open_regular, write_whole

NAME: Final = "last-backup.json"


def note_backup(folder: Path, at: datetime, position: int) -> None:
    write_whole(folder / NAME, json.dumps({"at": at.isoformat(), "position": position}))


def last_backup(folder: Path) -> datetime | None:
    """Return when it was finished; None where there is none, or where the file cannot be read."""
    try:
        with open_regular(folder / NAME) as file:
            at = datetime.fromisoformat(json.loads(file.read())["at"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return at if at.tzinfo else None
