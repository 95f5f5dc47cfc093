"""Cursors: small payloads that travel through a client and come back unchanged.

They carry no time: the same question has the same cursor, byte for byte. What ends one is what it says itself: the
client, the question, the position and the version of the read models that answered.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from adapters.security.keys import CURSOR_SALT, derive
from domain.errors import BadCursorError

MAC_BYTES = 32
LONGEST = 12_000  # what a request line holds beside the longest filter


class HmacCursorSeal:
    """Signs payloads (JSON) with a key derived from the master key; whose they are, the payload itself must say."""

    def __init__(self, master: bytes) -> None:
        self._key = derive(master, CURSOR_SALT, "")

    def sign(self, payload: Any) -> str:
        """Return an opaque text, safe in a URL."""
        signed = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
        return base64.urlsafe_b64encode(self._mac(signed) + signed).decode().rstrip("=")

    def open(self, cursor: str) -> Any:
        """Return the payload; raises BadCursorError where it was changed or made elsewhere."""
        try:
            raw = base64.b64decode(cursor[:LONGEST] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mac, signed = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(signed)):
            raise BadCursorError("This cursor was changed or comes from another backend: ask for the first page again.")
        return json.loads(signed.decode(errors="surrogatepass"))

    def _mac(self, signed: bytes) -> bytes:
        return hmac.digest(self._key, signed, hashlib.sha256)
