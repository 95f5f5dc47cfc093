"""`Prefer: respond-async, wait=10` (RFC 7240): how long a call waits for its task, and what was heeded of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_WAIT = 60.0
WAIT = re.compile(r"wait\s*=\s*\"?(\d{1,9})\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preference:
    """Seconds to wait, and the preferences that were understood; others are ignored, as the RFC says."""

    wait: float
    applied: str

    @classmethod
    def of(cls, header: str) -> Preference:
        """Read the header."""
        parts = [part.strip() for part in header.split(",")]
        waits = [match for part in parts if (match := WAIT.fullmatch(part))]
        background = any(part.lower() == "respond-async" for part in parts)
        heeded = (["respond-async"] if background else []) + [f"wait={match[1]}" for match in waits[:1]]
        longest = float(waits[0][1]) if waits else 0.0 if background else LONGEST_WAIT
        return cls(min(longest, LONGEST_WAIT), ", ".join(heeded))
