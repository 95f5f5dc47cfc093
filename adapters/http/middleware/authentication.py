"""Admission: who calls, proven, and whether the policy lets them."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.http.backend import Backend
from adapters.http.policy import Row
from adapters.security.tokens import IDEMPOTENCY_KEY, Claims, Presented, check_time, present, read_token
from commands.call import Call, command_id
from domain.client import Client
from domain.errors import BadInputError, ForbiddenError, NotAuthenticatedError
from domain.values import Role

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Proof:
    """A token that was made with the key of the client whom it names, whether this client counts (now) or not.

    It is enough to seal the answer: only who holds the key can read it, a refusal too.
    """

    presented: Presented
    key: bytes
    claims: Claims


@dataclass(frozen=True, slots=True)
class Admitted:
    """A proven caller: name, roles, the generation and key that were used, and what the token says of this call."""

    client: str
    roles: frozenset[Role]
    generation: int
    key: bytes
    claims: Claims

    def call(self, digest: str) -> Call:
        """Return the call as commands know it; `digest` is that of the plain call."""
        name = command_id(self.client, self.claims.idempotency_key or self.claims.request_id)
        return Call(self.client, self.roles, name, self.claims.request_id, digest)


def prove(backend: Backend, headers: dict[str, str], method: str, target: str) -> Proof:
    """Open the token; raises NotAuthenticatedError. Nothing tells an unknown client from a wrong key."""
    presented = present(headers.get("authorization", ""))
    key = backend.keyring.key(presented.client, presented.generation)
    return Proof(presented, key, read_token(key, presented, method, target))


def admit(backend: Backend, headers: dict[str, str], proof: Proof) -> Admitted:
    """Let the caller in; raises NotAuthenticatedError where the token is not of now or the client does not count."""
    presented, claims, now = proof.presented, proof.claims, backend.clock.now()
    check_time(claims, now)
    client = backend.clients(presented.client)
    if not client.accepts(presented.generation, now):
        raise NotAuthenticatedError(_why_not(client, presented.generation))
    if headers.get("idempotency-key", "") != claims.idempotency_key:
        raise NotAuthenticatedError("The Idempotency-Key is not the one that the token was made for.")
    if claims.idempotency_key and not IDEMPOTENCY_KEY.fullmatch(claims.idempotency_key):
        raise BadInputError("An Idempotency-Key has 1 to 128 visible ASCII characters.")
    return Admitted(presented.client, frozenset(client.roles), presented.generation, proof.key, claims)


def authorise(row: Row, roles: frozenset[Role]) -> None:
    """Raise ForbiddenError where the policy's row does not name one of the caller's roles."""
    if not row.roles & roles:
        needed = " or ".join(sorted(row.roles))
        raise ForbiddenError(f"{row.operation} is for the role {needed}.", roles=sorted(row.roles))


def check_host(header: str, allowed: frozenset[str]) -> None:
    """Raise ForbiddenError for a Host that is not this backend's: a page of another site, rebound to this address."""
    bare = header[: header.index("]") + 1] if header.startswith("[") and "]" in header else header.partition(":")[0]
    if bare.lower() not in LOOPBACK | allowed:
        raise ForbiddenError("The Host header does not name this backend.", allowed=sorted(LOOPBACK | allowed))


def _why_not(client: Client, generation: int) -> str:
    if client.revoked:
        return f"Client {client.name!r} is revoked."
    if not client.exists:
        return "The token was not made with this client's key of this generation."
    return (
        f"Generation {generation} of client {client.name!r} does not count any more: take the credentials of the last."
    )
