"""The master key's file and the keys derived from it (HKDF-SHA256, RFC 5869): nothing per client is ever stored."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.host.files import flush
from adapters.host.processes import forbid_dumps
from domain.errors import BadInputError, NotFoundError

MASTER_BYTES = 32
SESSION_SALT = b"autolearn/session/v1"
CURSOR_SALT = b"autolearn/cursor/v2"
FINGERPRINT_SALT = b"autolearn/fingerprint/v1"


def derived(master: bytes, salt: bytes, info: str) -> bytes:
    """Return 32 bytes that only who knows the master key can compute."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info.encode()).derive(master)


def client_key(master: bytes, client: str, generation: int) -> bytes:
    """Return the Fernet key (urlsafe base64) of one generation of a client."""
    return base64.urlsafe_b64encode(derived(master, SESSION_SALT, f"{client}/{generation}"))


def fingerprint(master: bytes) -> str:
    """Return 32 hex digits that tell master keys apart and say nothing of them: they may be stored beside the data."""
    return derived(master, FINGERPRINT_SALT, "")[:16].hex()


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
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_BYTES:
        raise BadInputError(f"{path} holds no master key: 32 bytes as urlsafe base64.")
    return key


def write_secret(path: str | Path, text: str) -> None:
    """Write a new file that only its owner can read, durably; raises FileExistsError where there is one.

    It appears whole: another process that starts at the same moment would else read a key that is still being written.
    """
    forbid_dumps()
    folder = Path(path).resolve().parent
    with NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=".secret-") as draft:  # mode 0600, as mkstemp's
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
        os.link(draft.name, path)
    flush(folder)


def read_secret(path: str | Path) -> str:
    """Read such a file, and refuse one that others can read too. Whoever holds a secret leaves no core dump."""
    forbid_dumps()
    try:
        with Path(path).open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise BadInputError(f"Others can read {path}: `chmod 600` it, and think about who has read it.")
            return file.read()
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
