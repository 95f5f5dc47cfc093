"""What a client acts on beside the body of an answer: status and headers, sealed together as the header AutoLearn-Seal.

The seal also names the SHA-256 of the body as it was sent, so that no body goes with the head of another answer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from adapters.security.sealing import seal, unseal
from domain.errors import NotJsonError

SEAL = "AutoLearn-Seal"
PURPOSE = "answer"
SEALED_ALONE = frozenset({"content-type", "autolearn-head", "autolearn-audit"})  # what stands outside says less
SEALED_TOO = frozenset({"location", "retry-after", "preference-applied", "allow"})
OWN = "autolearn-"


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The status, the headers (names in small letters) and the body's SHA-256 (hex; '' for an event stream)."""

    status: int
    headers: dict[str, str]
    sha256: str

    def sealed(self, key: bytes, request_id: str, method: str, target: str) -> str:
        """Return the header's value."""
        return seal(key, PURPOSE, request_id, method, target, json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def opened(cls, key: bytes, request_id: str, method: str, target: str, sealed: str) -> AnswerFacts:
        """Read the header's value; raises NotJsonError where it was not made for this call."""
        try:
            facts = json.loads(unseal(key, PURPOSE, request_id, method, target, sealed.encode("latin-1", "replace")))
            return cls(int(facts["status"]), dict(facts["headers"]), str(facts["sha256"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotJsonError("The seal of the answer cannot be read.") from None


def is_sealed(name: str) -> bool:
    """Whether a header (its name in small letters) counts only as the seal has it."""
    own = name.startswith(OWN) and name != SEAL.lower()
    return own or name in SEALED_ALONE or name in SEALED_TOO
