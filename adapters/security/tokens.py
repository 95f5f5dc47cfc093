"""Tokens: `Authorization: AutoLearn <client>.<generation>.<Fernet>` proves who asks for exactly this call, for 60 s.

Bound to method, target (path with query, as sent), SHA-256 of the body as sent (sealed, or the raw file), request id
and Idempotency-Key: a captured request can be repeated only as itself, and its repeat is the same command.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from adapters.security.binding import BOUND_BYTES, bound
from domain.errors import NotAuthenticatedError
from domain.names import CLIENT_NAME

SCHEME = "AutoLearn"
HINT = "`autolearn call` signs and seals, `autolearn proxy` opens a door for curl and browsers."
VALID_SECONDS = 60
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

HEADER = re.compile(rf"{SCHEME} ({CLIENT_NAME.pattern})\.([1-9][0-9]{{0,8}})\.([A-Za-z0-9_=-]{{1,1900}})")


@dataclass(frozen=True, slots=True)
class Presented:
    """What the header claims, before anything is proven."""

    client: str
    generation: int
    token: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What the token says: request id, SHA-256 (hex) of the body as sent, Idempotency-Key or '', when it was made."""

    request_id: str
    body_sha256: str
    idempotency_key: str = ""
    made: int = 0


def authorization(  # noqa: PLR0917 - all that it is bound to
    key: bytes,
    client: str,
    generation: int,
    method: str,
    target: str,
    body_sha256: str,
    request_id: str,
    idempotency_key: str = "",
    now: float | None = None,
) -> str:
    """Return the value of the Authorization header for one call."""
    claims = json.dumps([request_id, body_sha256, idempotency_key]).encode()
    payload = bound("token", client, method, target) + claims
    token = Fernet(key).encrypt_at_time(payload, int(time() if now is None else now))
    return f"{SCHEME} {client}.{generation}.{token.decode()}"


def present(header: str) -> Presented:
    """Read the header's form; raises NotAuthenticatedError."""
    form = HEADER.fullmatch(header)
    if form is None:
        needed = f"Every call needs `Authorization: {SCHEME} <client>.<generation>.<token>`."
        raise NotAuthenticatedError(f"{needed} {HINT}")
    return Presented(form[1], int(form[2]), form[3])


def read_token(key: bytes, presented: Presented, method: str, target: str) -> Claims:
    """Return what the token says, whenever it was made; raises NotAuthenticatedError."""
    try:
        payload = Fernet(key).decrypt(presented.token)
        made = Fernet(key).extract_timestamp(presented.token)
    except (InvalidToken, ValueError):
        raise NotAuthenticatedError("The token was not made with this client's key of this generation.") from None
    if payload[:BOUND_BYTES] != bound("token", presented.client, method, target):
        raise NotAuthenticatedError("The token was made for another method or path.")
    return _claims(payload[BOUND_BYTES:], made)


def check_time(claims: Claims, now: datetime) -> None:
    """Raise NotAuthenticatedError for a token that is too old or from the future; the sentence has both times."""
    if abs(now.timestamp() - claims.made) <= VALID_SECONDS:
        return
    yours, ours = _shown(claims.made), f"{now:%Y-%m-%dT%H:%M:%SZ}"
    raise NotAuthenticatedError(
        f"The token was made at {yours} and here it is {ours}: it counts for {VALID_SECONDS} seconds. "
        "A captured request cannot be used later; if this is a fresh one, set one of the two clocks.",
        token_time=yours,
        backend_time=ours,
    )


def _shown(made: int) -> str:
    try:
        return f"{datetime.fromtimestamp(made, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"second {made}"


def _claims(payload: bytes, made: int) -> Claims:
    try:
        request_id, body_sha256, idempotency_key = map(_text, json.loads(payload))
    except (ValueError, TypeError, RecursionError):
        raise NotAuthenticatedError("The token does not say what a token says: `[request id, SHA-256, key]`.") from None
    if not REQUEST_ID.fullmatch(request_id):
        raise NotAuthenticatedError("A request id has 8 to 64 characters of A-Z, a-z, 0-9, '_' and '-'.")
    return Claims(request_id, body_sha256, idempotency_key, made)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
