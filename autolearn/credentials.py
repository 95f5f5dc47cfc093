"""Credentials: what a client signs its calls with, as a JSON file that only its owner can read."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from autolearn.errors import InvalidInputError
from autolearn.secret_files import read_secret, write_secret

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client, the generation of its key, and the key (urlsafe base64)."""

    client: str
    key_generation: int
    key: bytes = field(repr=False)

    def write(self, path: str | Path) -> None:
        """Write (or replace) the file, mode 0600."""
        facts = {"client": self.client, "generation": self.key_generation, "key": self.key.decode()}
        draft = Path(f"{path}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        write_secret(draft, json.dumps(facts) + "\n")
        draft.replace(path)

    @classmethod
    def read(cls, path: str | Path) -> Credentials:
        """Read the file; raises FileNotFoundError, InvalidInputError (readable by others, or no credentials)."""
        try:
            facts = json.loads(read_secret(path))
            found = cls(str(facts["client"]), int(facts["generation"]), str(facts["key"]).encode())
            is_usable = len(base64.urlsafe_b64decode(found.key)) == KEY_BYTES and found.client.isprintable()
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            is_usable = False
        if not is_usable:
            raise InvalidInputError(f"{path} holds no credentials: `autolearn client add NAME` makes some.")
        return found
