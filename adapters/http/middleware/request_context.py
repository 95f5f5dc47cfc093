"""The context of one call: the middleware fills it, the routes use it, the audit log gets its record from it."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeVar

from adapters.http.middleware.authentication import Caller, VerifiedToken
from adapters.http.middleware.bodies import LARGEST_SEALED, LARGEST_UPLOAD, IncomingBody
from adapters.http.middleware.duplicates import join_lines
from adapters.http.policy import OPEN, PROBES, PolicyRow, row_for
from adapters.security.tokens import Claims
from autolearn.protocol.headers import SEALED
from autolearn.protocol.sealing import seal, unseal
from autolearn.protocol.tokens import EMPTY_SHA256
from commands.call import Call, command_id
from domain.values import Role

T = TypeVar("T")

METHODS = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class RequestContext:
    """Where a call goes, who makes it (once that is proven), what came in. `resources` are released at its end.

    `body_is_verified`: it came whole, and is the signed one. `is_in_log`: its command has appended, so the log answers
    its repeats.
    """

    scope: dict[str, Any]
    method: str
    target: str
    headers: dict[str, str]
    row: PolicyRow | None
    started: float = field(default_factory=perf_counter)
    token: VerifiedToken | None = None
    caller: Caller | None = None
    body: IncomingBody | None = None
    body_sha256: str = EMPTY_SHA256
    body_is_verified: bool = False
    is_in_log: bool = False
    resources: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, scope: dict[str, Any]) -> RequestContext:
        """Read the request line and the headers as they were sent."""
        query = scope["query_string"].decode("latin-1")
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        target, method = f"{path}?{query}" if query else path, scope["method"]
        return cls(scope, method, target, join_lines(scope["headers"]), row_for(method, scope["path"]))

    @property
    def is_upload(self) -> bool:
        """Whether its body is a raw file."""
        if self.row is None or not self.row.upload:
            return False
        return not (self.row.row and self.headers.get("content-type", "").startswith(SEALED))

    @property
    def body_limit(self) -> int:
        """How many bytes its body may have as sent."""
        return LARGEST_UPLOAD if self.is_upload else LARGEST_SEALED

    @property
    def is_open(self) -> bool:
        """Whether it is one of the plain routes: nobody is authenticated, nothing is recorded."""
        return self.scope["path"] in OPEN

    @property
    def is_probe(self) -> bool:
        """Whether it asks for health or metrics, which tell a page of another site nothing of any use."""
        return self.scope["path"] in PROBES

    @property
    def has_unread_body(self) -> bool:
        announced = self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers
        return announced and not (self.body is not None and self.body.is_complete)

    @property
    def is_command(self) -> bool:
        return self.row is not None and self.row.is_command

    @property
    def service(self) -> str:
        return "gate" if self.row is None else self.row.service

    @property
    def operation(self) -> str:
        """The route's template; of what matches none, only the method."""
        if self.row is not None:
            return self.row.operation
        return f"{self.method if self.method in METHODS else 'OTHER'} (no route)"

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return perf_counter() - self.started

    @property
    def claims(self) -> Claims:
        return _known(self.token).claims

    @property
    def client(self) -> str:
        return _known(self.caller).client

    @property
    def roles(self) -> frozenset[Role]:
        return _known(self.caller).roles

    @property
    def call(self) -> Call:
        """The call as commands know it. Its digest is over method, path and plain body, so a repeat is wholly the same.

        With the body alone, a key used on two routes (withdraw A, withdraw B, one reason) would answer for the wrong.
        """
        path, claims = self.target if self.is_upload else self.scope["path"], self.claims
        digest = hashlib.sha256(f"{self.method} {path} {self.body_sha256}".encode()).hexdigest()
        id = command_id(self.client, claims.idempotency_key or claims.request_id)
        return Call(self.client, self.roles, id, claims.request_id, digest)

    def take_file_digest(self) -> None:
        """Take over the digest of a raw file that has come whole."""
        if self.body is not None:
            self.body_sha256, self.body_is_verified = self.body.sha256, True

    def seal(self, purpose: str, content: bytes) -> bytes:
        """Seal what is sent to the holder of the key that the token was made with."""
        token = _known(self.token)
        return seal(token.key, purpose, token.claims.request_id, self.method, self.target, content)

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Open what came; raises BrokenSealError."""
        token = _known(self.token)
        return unseal(token.key, purpose, token.claims.request_id, self.method, self.target, sealed)


def _known(value: T | None) -> T:
    if value is None:
        msg = "the caller is not authenticated yet"
        raise LookupError(msg)
    return value
