"""The master key's file and the keys derived from it (HKDF-SHA256, RFC 5869): nothing per client is ever stored."""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from autolearn.errors import InvalidInputError
from autolearn.secret_files import read_secret, write_secret
from domain.errors import BadInputError, NotFoundError

MASTER_BYTES = 32
REMEMBERED_KEYS = 1024
SESSION_SALT = b"autolearn/session/v1"
CURSOR_SALT = b"autolearn/cursor/v2"
FINGERPRINT_SALT = b"autolearn/fingerprint/v1"


def derive(master: bytes, salt: bytes, info: str) -> bytes:
    """Return 32 bytes that only who knows the master key can compute."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info.encode()).derive(master)


def client_key(master: bytes, client: str, key_generation: int) -> bytes:
    """Return the Fernet key (urlsafe base64) of one generation of a client."""
    return base64.urlsafe_b64encode(derive(master, SESSION_SALT, f"{client}/{key_generation}"))


class Keyring:
    """Derives client keys from the master key and remembers the last few."""

    def __init__(self, master: bytes) -> None:
        self._derive = lru_cache(maxsize=REMEMBERED_KEYS)(lambda *client: client_key(master, *client))

    def key(self, client: str, key_generation: int) -> bytes:
        """Return the Fernet key of one generation of a client, whether that is accepted or not."""
        return self._derive(client, key_generation)


def fingerprint(master: bytes) -> str:
    """Return 32 hex digits that tell master keys apart and say nothing of them: they may be stored beside the data."""
    return derive(master, FINGERPRINT_SALT, "")[:16].hex()


def make_master_key(path: str | Path) -> bytes:
    """Make the file (mode 0600) with a fresh key, or read the one that is there; return the key, 32 bytes."""
    key = os.urandom(MASTER_BYTES)
    try:
        write_secret(path, base64.urlsafe_b64encode(key).decode() + "\n")
    except FileExistsError:
        return read_master_key(path)
    return key


def read_master_key(path: str | Path) -> bytes:
    """Read the key; raises NotFoundError, BadInputError (readable by others, or no key)."""
    try:
        key = base64.urlsafe_b64decode(read_secret(path).strip())
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
    except InvalidInputError as insecure:
        raise BadInputError(str(insecure)) from None
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_BYTES:
        raise BadInputError(f"{path} holds no master key: 32 bytes as urlsafe base64.")
    return key
