"""The last position that each client wrote at each URL, kept beside its credentials: so it sees its own writes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Positions:
    """One entry of the file. Its name covers the key: a new backend at the same URL has new keys and counts from 1."""

    file: Path
    entry: str

    @classmethod
    def of(cls, credentials_file: Path, url: str, client: str, key: bytes) -> Positions:
        """Return the entry of a client at a URL."""
        key_digest = hashlib.sha256(b"position" + key).hexdigest()[:8]
        return cls(credentials_file.with_name("positions.json"), f"{url} {client} {key_digest}")

    def last(self) -> int:
        """Return the last position, 0 where none is known."""
        position = self._entries().get(self.entry)
        return position if isinstance(position, int) and position > 0 else 0

    def advance(self, position: int) -> None:
        """Keep a later position. If the file cannot be written, the next query may be a little older."""
        entries = self._entries()
        if position <= self.last():
            return
        draft = self.file.with_name(f"{self.file.name}.{os.getpid()}.new")
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
            with open(draft, "x", encoding="utf-8", opener=_open_for_owner) as file:
                json.dump(entries | {self.entry: position}, file)
            draft.replace(self.file)

    def _entries(self) -> dict[str, Any]:
        try:
            with open(self.file, "rb", opener=_open_without_waiting) as file:
                entries = json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            return {}
        return entries if isinstance(entries, dict) else {}


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # the program's umask may let others read: this package is a library, too


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a FIFO would wait for its other end
