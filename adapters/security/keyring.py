"""Keyring: the backend's way from a client and a generation to their key."""

from __future__ import annotations

from functools import lru_cache

from adapters.security.keys import client_key

REMEMBERED = 1024


class Keyring:
    """Derives client keys from the master key and remembers the last few."""

    def __init__(self, master: bytes) -> None:
        self._derive = lru_cache(maxsize=REMEMBERED)(lambda client, generation: client_key(master, client, generation))

    def key(self, client: str, generation: int) -> bytes:
        """Return the Fernet key of one generation of a client; whether it counts is the client's own matter."""
        return self._derive(client, generation)
