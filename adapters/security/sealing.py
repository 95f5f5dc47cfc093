"""Seals: Fernet (AES-128-CBC, HMAC-SHA256) around a body, bound to purpose, request id, method and target of its call.

Fernet does not replace TLS: paths, queries, sizes and status stay visible. Status and headers are sealed a second time,
in `answer_facts.py`, so that a change on their way is noticed.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken

from adapters.security.binding import BOUND_BYTES, bound
from domain.errors import NotJsonError

SEALED = "application/vnd.autolearn.sealed"
REQUEST = "request"
RESPONSE = "response"
FERNET_FRAME = 57  # version, time, IV and MAC of a Fernet token, before base64
BLOCK = 16


def seal(  # noqa: PLR0917 - all that it is bound to
    key: bytes, purpose: str, request_id: str, method: str, target: str, body: bytes
) -> bytes:
    """Close a body; purpose is `request`, `response`, `answer` (status and headers) or that of an event."""
    return Fernet(key).encrypt(bound("seal", purpose, request_id, method, target) + body)


def unseal(  # noqa: PLR0917 - all that it is bound to
    key: bytes, purpose: str, request_id: str, method: str, target: str, sealed: bytes
) -> bytes:
    """Open a body; raises NotJsonError where the seal is broken or was made for something else."""
    try:
        payload = Fernet(key).decrypt(_only_spelling(sealed))
    except (InvalidToken, ValueError):
        raise NotJsonError("The body is not sealed with this client's key, or was changed on its way.") from None
    if payload[:BOUND_BYTES] != bound("seal", purpose, request_id, method, target):
        raise NotJsonError("The body was sealed for another request.")
    return payload[BOUND_BYTES:]


def _only_spelling(sealed: bytes) -> bytes:
    """Return it; raises ValueError for what Python's base64 passes over: foreign characters and unused bits."""
    if urlsafe_b64encode(urlsafe_b64decode(sealed)) != sealed:
        raise ValueError
    return sealed


def event_purpose(number: int, name: str, stream: str) -> str:
    """Return the purpose of the n-th event (1, 2, …) of a stream: its name is bound, and the answer it belongs to."""
    return f"event:{number}:{name}:{stream}"


def sealed_size(plain: int) -> int:
    """Return the size in bytes of the seal around a body of so many bytes."""
    padded = (BOUND_BYTES + plain) // BLOCK * BLOCK + BLOCK
    return -(-(FERNET_FRAME + padded) // 3) * 4
