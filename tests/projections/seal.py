"""A seal for tests of queries: it signs nothing, for the real one has tests of its own."""

from __future__ import annotations

import json
from typing import Any

from domain.errors import BadCursorError


class OpenSeal:
    """Cursors one can read."""

    def sign(self, payload: Any) -> str:
        """Return the payload as text."""
        return json.dumps(payload)

    def open(self, cursor: str) -> Any:
        """Return the payload."""
        try:
            return json.loads(cursor)
        except ValueError:
            raise BadCursorError("changed") from None
