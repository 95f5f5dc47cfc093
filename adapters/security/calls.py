"""The client's half of a call: sign it, seal its body, open its answer. Used by the CLI, its proxy and the tests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from uuid import uuid4

from adapters.security.answer_facts import AnswerFacts
from adapters.security.credentials import Credentials
from adapters.security.sealing import REQUEST, RESPONSE, SEALED, event_purpose, seal, unseal
from adapters.security.tokens import EMPTY_SHA256, authorization

RAW = "application/octet-stream"


@dataclass(frozen=True)
class OutgoingCall:
    """One call of a client: its method and target (path with query, as sent); after a lost answer it is sent again."""

    credentials: Credentials
    method: str
    target: str
    request_id: str = field(default_factory=lambda: uuid4().hex)
    idempotency_key: str = ""

    def anew(self) -> OutgoingCall:
        """Return a new call for the same command: its first request was answered, and a request id is used once."""
        return replace(self, request_id=uuid4().hex, idempotency_key=self.idempotency_key or self.request_id)

    def without_body(self) -> dict[str, str]:
        """Return the headers of a call without a body."""
        return self._headers(EMPTY_SHA256)

    def with_json(self, body: bytes) -> tuple[dict[str, str], bytes]:
        """Return the headers and the sealed body for a JSON body."""
        it = self.credentials
        sealed = seal(it.key, REQUEST, self.request_id, self.method, self.target, body)
        return self._headers(hashlib.sha256(sealed).hexdigest()) | {"Content-Type": SEALED}, sealed

    def with_file(self, sha256: str) -> dict[str, str]:
        """Return the headers for a raw file of this SHA-256 (hex), sent as it is."""
        return self._headers(sha256) | {"Content-Type": RAW}

    def opened(self, sealed: bytes) -> bytes:
        """Return the JSON of a sealed answer, a problem included."""
        return unseal(self.credentials.key, RESPONSE, self.request_id, self.method, self.target, sealed)

    def opened_facts(self, sealed: str) -> AnswerFacts:
        """Return what the header AutoLearn-Seal of the answer says."""
        return AnswerFacts.opened(self.credentials.key, self.request_id, self.method, self.target, sealed)

    def opened_event(self, number: int, name: str, stream: str, sealed: bytes) -> bytes:
        """Return the JSON of the n-th sealed `data` of an event stream; `stream` is the answer's AutoLearn-Seal."""
        purpose = event_purpose(number, name, stream)
        return unseal(self.credentials.key, purpose, self.request_id, self.method, self.target, sealed)

    def _headers(self, body_sha256: str) -> dict[str, str]:
        it = self.credentials
        value = authorization(
            it.key,
            it.client,
            it.generation,
            self.method,
            self.target,
            body_sha256,
            self.request_id,
            self.idempotency_key,
        )
        return {"Authorization": value} | ({"Idempotency-Key": self.idempotency_key} if self.idempotency_key else {})
