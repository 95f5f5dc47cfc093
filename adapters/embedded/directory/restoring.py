"""`restore.json`: a restore has begun and has not ended, so nothing may start on the data directory.

Until it ends, the directory may have less than the back-up has.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from adapters.host.files import write_whole
from autolearn.secret_files import flush
from domain.errors import ConflictError

NAME: Final = "restore.json"
# What may be in a directory that counts as empty. Blobs are named by what they hold, so old ones do no harm.
HARMLESS: Final = re.compile(r"lock|scratch|blobs|blob-cache|master\.key|backend\.log(\.\d)?|restore\.json")
PARTIAL: Final = re.compile(r"(events|communications)\.db(-wal|-shm|-journal)?|format\.json")


def begin_restore(folder: Path, source: Path) -> None:
    """Set the mark, and remove what an interrupted restore left. Raises ConflictError where anything else is there."""
    begun = (folder / NAME).exists()
    names = sorted(path.name for path in folder.iterdir() if not HARMLESS.fullmatch(path.name))
    partial = [name for name in names if begun and PARTIAL.fullmatch(name)]
    if other := [name for name in names if name not in partial]:
        raise ConflictError(
            f"{folder} is not empty: it has {', '.join(other[:3])}. A restore fills a new or an empty data directory: "
            "name one with AUTOLEARN_DATA or --data, or move the old one away."
        )
    write_whole(folder / NAME, json.dumps({"from": str(source)}))
    for name in partial:
        (folder / name).unlink()


def end_restore(folder: Path) -> None:
    (folder / NAME).unlink()
    flush(folder)


def unfinished_restore(folder: Path) -> list[str]:
    """Return a sentence where a restore has begun and has not ended."""
    if not (folder / NAME).exists():
        return []
    return [f"A restore into {folder} was interrupted: call `autolearn restore` again; it begins anew."]
