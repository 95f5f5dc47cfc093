"""Reads tokens (`autolearn/protocol/tokens.py` makes them)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken

from autolearn.protocol.sealing import BOUND_BYTES
from autolearn.protocol.tokens import SCHEME, VALID_SECONDS, token_binding
from domain.errors import NotAuthenticatedError
from domain.values import CLIENT_NAME

HINT = "`autolearn call` signs and seals, `autolearn proxy` is for curl and browsers."
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,128}")

HEADER = re.compile(rf"{SCHEME} ({CLIENT_NAME.pattern})\.([1-9][0-9]{{0,8}})\.([A-Za-z0-9_=-]{{1,1900}})")


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """What the header claims, before anything is proven."""

    client: str
    key_generation: int
    token: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What the token says: request id, SHA-256 (hex) of the body as sent, Idempotency-Key or '', when it was made."""

    request_id: str
    body_sha256: str
    idempotency_key: str = ""
    made: int = 0


def parse_authorization(header: str) -> UnverifiedToken:
    """Read the header's form; raises NotAuthenticatedError."""
    form = HEADER.fullmatch(header)
    if form is None:
        needed = f"Every call needs `Authorization: {SCHEME} <client>.<generation>.<token>`."
        raise NotAuthenticatedError(f"{needed} {HINT}")
    return UnverifiedToken(form[1], int(form[2]), form[3])


def read_token(key: bytes, unverified: UnverifiedToken, method: str, target: str) -> Claims:
    """Return what the token says, whenever it was made; raises NotAuthenticatedError."""
    try:
        payload = Fernet(key).decrypt(unverified.token)
        made = Fernet(key).extract_timestamp(unverified.token)
    except (InvalidToken, ValueError):
        raise NotAuthenticatedError("The token was not made with this client's key of this generation.") from None
    if payload[:BOUND_BYTES] != token_binding(unverified.client, method, target):
        raise NotAuthenticatedError("The token was made for another method or path.")
    try:
        claims = json.loads(payload[BOUND_BYTES:])
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, list) or [type(claim) for claim in claims] != [str, str, str]:
        raise NotAuthenticatedError("The token does not say what a token says: `[request id, SHA-256, key]`.")
    if not REQUEST_ID.fullmatch(claims[0]):
        raise NotAuthenticatedError("A request id has 8 to 64 characters of A-Z, a-z, 0-9, '_' and '-'.")
    return Claims(claims[0], claims[1], claims[2], made)


def check_time(claims: Claims, now: datetime) -> None:
    """Raise NotAuthenticatedError for a token that is too old or from the future; the sentence has both times."""
    if abs(now.timestamp() - claims.made) <= VALID_SECONDS:
        return
    yours, ours = _time_text(claims.made), f"{now:%Y-%m-%dT%H:%M:%SZ}"
    raise NotAuthenticatedError(
        f"The token was made at {yours} and here it is {ours}: it counts for {VALID_SECONDS} seconds. "
        "A captured request cannot be used later; if this is a fresh one, set one of the two clocks.",
        token_time=yours,
        backend_time=ours,
    )


def _time_text(made: int) -> str:
    try:
        return f"{datetime.fromtimestamp(made, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return f"second {made}"
