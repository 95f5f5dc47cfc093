"""One call on its way through the gate: what is known of it, and the record that the archive gets."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import uuid4

from adapters.http.middleware.authentication import Admitted, Proof
from adapters.http.middleware.bodies import LARGEST_SEALED, LARGEST_UPLOAD, IncomingBody
from adapters.http.middleware.duplicates import joined
from adapters.http.policy import OPEN, Row, row_for
from adapters.http.problems import Problem
from adapters.security.tokens import Claims
from commands.call import Call
from domain.values import Role
from projections.ports import Communication

METHODS = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})
NO_REQUEST = "(no request)"  # the operation of what is refused before it is a call
NOBODY = "(unknown)"  # no client's name: those have no brackets
EMPTY = hashlib.sha256().hexdigest()


@dataclass(slots=True)
class Passage:
    """One call: where it goes, who makes it (once that is proven), what came in; `held` is let go at its end."""

    scope: dict[str, Any]
    method: str
    target: str
    headers: dict[str, str]
    row: Row | None
    started: float = field(default_factory=perf_counter)
    proof: Proof | None = None
    admitted: Admitted | None = None
    incoming: IncomingBody | None = None
    digest_in: str = EMPTY
    is_read: bool = False  # its body came whole, and is the signed one
    is_in_log: bool = False  # its command has appended, so the log answers its repeats
    held: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, scope: dict[str, Any]) -> Passage:
        """Read the request line and the headers as they were sent."""
        query = scope["query_string"].decode("latin-1")
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        method = scope["method"]
        return cls(
            scope,
            method,
            f"{path}?{query}" if query else path,
            joined(scope["headers"]),
            row_for(method, scope["path"]),
        )

    @property
    def limit(self) -> int:
        """How many bytes its body may have as sent."""
        return LARGEST_UPLOAD if self.row is not None and self.row.upload else LARGEST_SEALED

    @property
    def is_open(self) -> bool:
        """Whether it is one of the plain routes: nobody is asked for, nothing is archived."""
        return self.scope["path"] in OPEN

    @property
    def has_unread_body(self) -> bool:
        """Whether a body was announced and nobody read it to its end."""
        announced = self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers
        return announced and not (self.incoming is not None and self.incoming.whole)

    @property
    def is_command(self) -> bool:
        """Whether it may change something."""
        return self.row is not None and self.row.is_command

    @property
    def service(self) -> str:
        """The service that is called."""
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
        """What the caller's token proves."""
        return self._caller.claims

    @property
    def client(self) -> str:
        """Who calls."""
        return self._caller.client

    @property
    def roles(self) -> frozenset[Role]:
        """What the caller may."""
        return self._caller.roles

    @property
    def key(self) -> bytes:
        """The caller's key."""
        return self._caller.key

    @property
    def call(self) -> Call:
        """The call as commands know it. Its digest is over method, path and plain body, so a repeat is wholly the same.

        With the body alone, a key used on two routes (withdraw A, withdraw B, one reason) would answer for the wrong.
        """
        path = self.target if self.row is not None and self.row.upload else self.scope["path"]
        digest = hashlib.sha256(f"{self.method} {path} {self.digest_in}".encode()).hexdigest()
        return self._caller.call(digest)

    def take_digest(self) -> None:
        """Take over the digest of a raw file that has come whole."""
        if self.incoming is not None:
            self.digest_in, self.is_read = self.incoming.sha256, True

    def record(
        self, outcome: str, *, problem: str = "", position: int = 0, head: str = "", size: int = 0, digest: str = ""
    ) -> Communication:
        """Return what the archive keeps of it: no bodies, no secrets, no raw URL. size and digest are the answer's."""
        call, source = self.call if self.admitted else None, self.scope.get("client")
        return Communication(
            kind="call",
            actor=call.client if call else NOBODY,
            source=source[0] if source else "",
            target=self.service,
            operation=self.operation,
            outcome=outcome,
            problem=problem,
            milliseconds=round(self.seconds * 1000, 3),
            bytes_in=self.incoming.size if self.incoming else 0,
            bytes_out=size,
            correlation=call.correlation if call else uuid4().hex,
            causation=f"command:{call.command_id}" if call and self.is_command else "",
            domain_position=position,
            digest_in=self.digest_in,
            digest_out=digest or EMPTY,
            head=head,
        )

    @property
    def _caller(self) -> Admitted:
        if self.admitted is None:
            msg = "nobody is admitted yet"
            raise LookupError(msg)
        return self.admitted


def refused_connection(problem: Problem, source: str) -> Communication:
    """Return what the archive keeps of a connection that was refused before there was a call."""
    return Communication(
        kind="call",
        actor=NOBODY,
        source=source,
        target="gate",
        operation=NO_REQUEST,
        outcome=str(problem.status),
        problem=problem.slug,
        milliseconds=0.0,
        bytes_in=0,
        bytes_out=0,
        correlation=uuid4().hex,
        causation="",
        domain_position=0,
        digest_in=EMPTY,
        digest_out=EMPTY,
    )
