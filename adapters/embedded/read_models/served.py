"""Whether the read models that a backend serves are the file that others find, and verify: it has to be the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.generations import Generations
from adapters.host.retry import Retry

LOOKS: Final = Retry(limit=5, shortest=0.2, longest=0.4)  # a rebuild exchanges file and pointer one after the other


def served_faults(folder: Path, read: ReadDatabase) -> list[str]:
    """Return what stands between the file that is served and whoever looks for it by its name; none of it is mended."""
    for _ in LOOKS.attempts():
        found = _found(folder, read)
        if not found:
            break
    return found


def _found(folder: Path, read: ReadDatabase) -> list[str]:
    serving, named = Path(read.path), Generations(folder).named()
    if not read.is_in_place():
        return [f"{serving.name} was removed or replaced while it was served, and is not what is checked: rebuild it"]
    if named is None or named.name != serving.name:
        return [f"read-models.current does not name {serving.name}, which is served, and so not checked: rebuild it"]
    return []
