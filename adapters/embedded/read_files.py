"""Files of the read models in their folder: numbered, with the projection's version in the name; `current` names one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from projections.fold import VERSION

POINTER = "current"
NAME = re.compile(r"read-v(\d+)-(\d{6})\.sqlite")
BESIDE = ("", "-wal", "-shm")  # what SQLite keeps beside a file


class ReadFiles:
    """The folder. Only the backend points and sweeps; another process may write a fresh file meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def current(self) -> Path | None:
        """Return the file that serves; None where there is none of this version."""
        try:
            name = (self.folder / POINTER).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        match = NAME.fullmatch(name)
        path = self.folder / name
        return path if match and int(match[1]) == VERSION and path.exists() else None

    def fresh(self) -> Path:
        """Return a new name beside all files there are."""
        numbers = [int(match[2]) for path in self.folder.iterdir() if (match := NAME.match(path.name))]
        return self.folder / f"read-v{VERSION}-{max(numbers, default=0) + 1:06d}.sqlite"

    def point_to(self, path: Path) -> None:
        """Let a file serve from the next start on; it is this file or the one before, whatever dies when."""
        pointer = self.folder / f"{POINTER}.new"
        with pointer.open("w", encoding="utf-8") as file:
            file.write(path.name)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self.folder / POINTER)

    def sweep(self) -> None:
        """Delete all files but the current one: older ones, and what rebuilds left that never ended."""
        current = self.current()
        for path in self.folder.iterdir():
            if NAME.match(path.name) and (current is None or not path.name.startswith(current.name)):
                path.unlink(missing_ok=True)

    def delete(self, path: Path) -> None:
        """Delete one file and what belongs to it."""
        for suffix in BESIDE:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
