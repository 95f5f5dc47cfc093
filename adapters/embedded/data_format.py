"""What a data directory says of itself in `format.json`: its format, and the fingerprint of its master key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from adapters.durability import write_whole
from domain.errors import BadInputError, ConflictError

FORMAT: Final = 1


def check_format(folder: Path) -> None:
    """Write the format of this version into a new data directory; raise ConflictError for one of a newer version."""
    path = _file(folder)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"format": FORMAT}))
    try:
        found = int(_read(path)["format"])
    except (ValueError, TypeError, KeyError) as error:
        raise ConflictError(f"{path} cannot be read: this is no data directory of AutoLearn.") from error
    if found > FORMAT:
        msg = f"A newer AutoLearn wrote {path.parent} (format {found}; this version knows {FORMAT}): use that version."
        raise ConflictError(msg, found=found, known=FORMAT)


def check_master_key(folder: Path, fingerprint: str, file: Path) -> None:
    """Raise BadInputError where the directory was begun with another master key than `file`; note the first one.

    The caller has the directory's lock and has checked the format.
    """
    path = _file(folder)
    content = _read(path)
    known = content.get("master_key")
    if known is None:
        write_whole(path, json.dumps({**content, "master_key": fingerprint}))
    elif known != fingerprint:
        raise BadInputError(
            f"The master key {file} does not fit the data directory {folder}: "
            "its clients' keys were made from another one. Restore that file."
        )


def _file(folder: Path) -> Path:
    return folder / "format.json"


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content
