"""What a token or seal is good for: 32 bytes over everything it is bound to, so that it fits nothing else."""

from __future__ import annotations

import hashlib

BOUND_BYTES = 32


def bound(*parts: str) -> bytes:
    """Return the SHA-256 over the parts, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()
