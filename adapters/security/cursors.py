"""Cursors: small payloads that travel through a client and come back unchanged, for 24 h at most."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, Protocol

from adapters.security.keys import CURSOR_SALT, derived
from domain.errors import BadCursorError

VALID_SECONDS = 24 * 3600
MAC_BYTES = 32
LONGEST = 4096


class Clock(Protocol):
    """The time of day, as in `commands.ports`."""

    def now(self) -> datetime:
        """Return the time, UTC, with zone."""
        ...


class CursorSeal:
    """Signs payloads (JSON) with a key derived from the master key; whose they are, the payload itself must say."""

    def __init__(self, master: bytes, clock: Clock) -> None:
        self._key = derived(master, CURSOR_SALT, "")
        self._clock = clock

    def sign(self, payload: Any) -> str:
        """Return an opaque text, safe in a URL."""
        signed = json.dumps([int(self._clock.now().timestamp()), payload], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(signed) + signed).decode().rstrip("=")

    def open(self, cursor: str) -> Any:
        """Return the payload; raises BadCursorError where it was changed, made elsewhere, or is older than 24 h."""
        try:
            raw = base64.b64decode(cursor[:LONGEST] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mac, signed = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(signed)):
            raise BadCursorError("This cursor was changed or comes from another backend: ask for the first page again.")
        made, payload = json.loads(signed)
        if abs(self._clock.now().timestamp() - made) > VALID_SECONDS:
            raise BadCursorError("This cursor is older than 24 hours: ask for the first page again.")
        return payload

    def _mac(self, signed: bytes) -> bytes:
        return hmac.digest(self._key, signed, hashlib.sha256)
