"""Credentials: what a client holds to sign its calls, as a JSON file that only its owner can read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from adapters.security.keys import read_secret, write_secret
from domain.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client, the generation of its key, and the key (urlsafe base64)."""

    client: str
    generation: int
    key: bytes

    def __repr__(self) -> str:
        """Show no key."""
        return f"Credentials(client={self.client!r}, generation={self.generation})"

    def write(self, path: str | Path) -> None:
        """Write (or replace) the file, mode 0600."""
        facts = {"client": self.client, "generation": self.generation, "key": self.key.decode()}
        fresh = Path(f"{path}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        write_secret(fresh, json.dumps(facts) + "\n")
        fresh.replace(path)

    @classmethod
    def read(cls, path: str | Path) -> Credentials:
        """Read the file; raises NotFoundError, BadInputError (readable by others, or no credentials)."""
        try:
            facts = json.loads(read_secret(path))
            return cls(str(facts["client"]), int(facts["generation"]), str(facts["key"]).encode())
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadInputError(f"{path} holds no credentials: `autolearn client add NAME` makes some.") from None
