"""What a client acts on beside the body of an answer: status and headers, sealed together as the header AutoLearn-Seal.

The seal also names the SHA-256 of the body as it was sent, so that no body fits the headers of another answer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from autolearn.errors import BrokenSealError
from autolearn.protocol.headers import AUDIT, HEAD, SEAL
from autolearn.protocol.sealing import seal, unseal

PURPOSE = "answer"
ONLY_SEALED = frozenset({"content-type", HEAD.lower(), AUDIT.lower()})  # what stands outside says less, or nothing
ALSO_SEALED = frozenset({"location", "retry-after", "preference-applied", "allow"})
OWN_PREFIX = "autolearn-"


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The status, the headers (names in small letters) and the body's SHA-256 (hex; '' for an event stream)."""

    status: int
    headers: dict[str, str]
    sha256: str

    def seal(self, key: bytes, request_id: str, method: str, target: str) -> str:
        return seal(key, PURPOSE, request_id, method, target, json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def unseal(cls, key: bytes, request_id: str, method: str, target: str, sealed: str) -> AnswerFacts:
        """Read the header's value; raises BrokenSealError."""
        try:
            facts = json.loads(unseal(key, PURPOSE, request_id, method, target, sealed.encode("latin-1", "replace")))
            return cls(int(facts["status"]), dict(facts["headers"]), str(facts["sha256"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BrokenSealError("The seal of the answer cannot be read.") from None


def is_sealed(name: str) -> bool:
    """Whether a header (its name in small letters) counts only as the seal has it."""
    own = name.startswith(OWN_PREFIX) and name != SEAL.lower()
    return own or name in ONLY_SEALED or name in ALSO_SEALED
