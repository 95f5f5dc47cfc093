"""Seals: Fernet (AES-128-CBC, HMAC-SHA256) around a body, bound to purpose, request id, method and target of its call.

Fernet does not replace TLS: paths, queries, sizes and status stay visible. `answer_facts.py` seals status and headers
a second time, so that a change on their way is noticed.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken

from autolearn.errors import BrokenSealError

REQUEST = "request"
RESPONSE = "response"
BOUND_BYTES = 32
FERNET_FRAME = 57  # version, time, IV and MAC of a Fernet token, before base64
BLOCK = 16


def bound(*parts: str) -> bytes:
    """Return the SHA-256 over the parts, each with its length before it: a seal or token fits nothing else."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()


def seal(  # noqa: PLR0917 - all that it is bound to
    key: bytes, purpose: str, request_id: str, method: str, target: str, body: bytes
) -> bytes:
    """Seal a body; `purpose` is `request`, `response`, `answer` (status and headers) or that of an event."""
    return Fernet(key).encrypt(bound("seal", purpose, request_id, method, target) + body)


def unseal(  # noqa: PLR0917 - all that it is bound to
    key: bytes, purpose: str, request_id: str, method: str, target: str, sealed: bytes
) -> bytes:
    """Return the body; raises BrokenSealError."""
    try:
        # Python's base64 skips foreign characters and unused bits, but only one spelling of a seal counts.
        payload = Fernet(key).decrypt(sealed if urlsafe_b64encode(urlsafe_b64decode(sealed)) == sealed else b"")
    except (InvalidToken, ValueError):
        raise BrokenSealError("The body is not sealed with this client's key, or was changed on its way.") from None
    if payload[:BOUND_BYTES] != bound("seal", purpose, request_id, method, target):
        raise BrokenSealError("The body was sealed for another request.")
    return payload[BOUND_BYTES:]


def event_purpose(number: int, name: str, stream_seal: str) -> str:
    """Return the purpose of the n-th event (1, 2, …) of a stream; `stream_seal` is its answer's AutoLearn-Seal."""
    return f"event:{number}:{name}:{stream_seal}"


def sealed_size(plain: int) -> int:
    """Return the size in bytes of the seal around a body of so many bytes."""
    padded = (BOUND_BYTES + plain) // BLOCK * BLOCK + BLOCK
    return -(-(FERNET_FRAME + padded) // 3) * 4
