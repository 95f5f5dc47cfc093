"""Tokens: `Authorization: AutoLearn <client>.<generation>.<Fernet>` proves who makes exactly this call.

A token is bound to method, target (path with query, as sent), SHA-256 of the body as sent (sealed, or the raw file),
request id and Idempotency-Key: a captured request can be repeated only as itself, and its repeat is the same command.
"""

from __future__ import annotations

import json
from time import time

from cryptography.fernet import Fernet

from autolearn.protocol.sealing import bound

SCHEME = "AutoLearn"
VALID_SECONDS = 60  # before and after the time in it: the two clocks may differ so much
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def authorization(  # noqa: PLR0917 - all that it is bound to
    key: bytes,
    client: str,
    key_generation: int,
    method: str,
    target: str,
    body_sha256: str,
    request_id: str,
    idempotency_key: str = "",
    now: float | None = None,
) -> str:
    claims = json.dumps([request_id, body_sha256, idempotency_key]).encode()
    payload = token_binding(client, method, target) + claims
    token = Fernet(key).encrypt_at_time(payload, int(time() if now is None else now))
    return f"{SCHEME} {client}.{key_generation}.{token.decode()}"


def token_binding(client: str, method: str, target: str) -> bytes:
    """Return the 32 bytes that stand before a token's claims."""
    return bound("token", client, method, target)
