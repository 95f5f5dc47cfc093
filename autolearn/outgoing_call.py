"""The client's half of a call: it signs the call, seals its body and unseals its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from autolearn.credentials import Credentials
from autolearn.errors import InvalidInputError
from autolearn.protocol.answer_facts import AnswerFacts
from autolearn.protocol.headers import RAW, SEALED
from autolearn.protocol.sealing import REQUEST, RESPONSE, event_purpose, seal, unseal
from autolearn.protocol.tokens import EMPTY_SHA256, authorization


@dataclass(frozen=True)
class FileBody:
    """A file that is sent as it is: its digest (hex) and size in bytes."""

    path: Path
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> FileBody:
        """Measure a file; raises InvalidInputError for a pipe or device, which can be read only once."""
        if not path.is_file():
            raise InvalidInputError(f"{path} is not a plain file: save what it gives as one, and send that.")
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


Body = bytes | FileBody | None  # bytes: JSON


@dataclass(frozen=True)
class OutgoingCall:
    """One call: its method and target (path with query, as sent). After a lost answer it is sent again as it is."""

    credentials: Credentials
    method: str
    target: str
    request_id: str = field(default_factory=lambda: uuid4().hex)
    idempotency_key: str = ""

    @property
    def is_command(self) -> bool:
        """Whether it may change something. Verifications, rebuilds and checks are POST, too, and may be repeated."""
        path = self.target.partition("?")[0]
        return self.method != "GET" and not path.endswith(("/verifications", "/rebuilds", "/checks"))

    def renew(self) -> OutgoingCall:
        """Return a new call for the same command: its first request was answered, and a request id is used once."""
        return replace(self, request_id=uuid4().hex, idempotency_key=self.idempotency_key or self.request_id)

    @contextmanager
    def sign(self, body: Body) -> Iterator[tuple[dict[str, str], bytes | BinaryIO | None]]:
        """Give the headers and content for one sending: each has a token and a seal of its own."""
        if body is None:
            yield self.headers(), None
        elif isinstance(body, bytes):
            yield self.seal_json(body)
        else:
            with body.path.open("rb") as file:
                yield self.file_headers(body.sha256) | {"Content-Length": str(body.size)}, file

    def headers(self, body_sha256: str = EMPTY_SHA256) -> dict[str, str]:
        """Return the headers of a call with a body of this SHA-256 (hex), by default none."""
        client, key = self.credentials, self.idempotency_key
        value = authorization(
            client.key,
            client.client,
            client.key_generation,
            self.method,
            self.target,
            body_sha256,
            self.request_id,
            key,
        )
        return {"Authorization": value} | ({"Idempotency-Key": key} if key else {})

    def seal_json(self, body: bytes) -> tuple[dict[str, str], bytes]:
        sealed = seal(self.credentials.key, REQUEST, self.request_id, self.method, self.target, body)
        return self.headers(hashlib.sha256(sealed).hexdigest()) | {"Content-Type": SEALED}, sealed

    def file_headers(self, sha256: str) -> dict[str, str]:
        return self.headers(sha256) | {"Content-Type": RAW}

    def unseal(self, sealed: bytes, purpose: str = RESPONSE) -> bytes:
        """Return the JSON of a sealed answer or problem; raises BrokenSealError."""
        return unseal(self.credentials.key, purpose, self.request_id, self.method, self.target, sealed)

    def unseal_facts(self, sealed: str) -> AnswerFacts:
        """Return what the header AutoLearn-Seal of the answer says; raises BrokenSealError."""
        return AnswerFacts.unseal(self.credentials.key, self.request_id, self.method, self.target, sealed)

    def unseal_event(self, number: int, name: str, stream_seal: str, sealed: bytes) -> bytes:
        """Return the JSON of the n-th sealed `data` of an event stream; raises BrokenSealError."""
        return self.unseal(sealed, event_purpose(number, name, stream_seal))
