"""Authentication: who calls, proven by a token; whether the policy allows it; and whether streams may go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic

from adapters.http.backend import Backend
from adapters.http.middleware.limits import ThreadPools
from adapters.http.policy import PolicyRow
from adapters.security.tokens import (
    IDEMPOTENCY_KEY,
    Claims,
    UnverifiedToken,
    check_time,
    parse_authorization,
    read_token,
)
from domain.client import Client
from domain.errors import BadInputError, ForbiddenError, NotAuthenticatedError
from domain.values import Role

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
RECHECK_SECONDS = 1.0
MOST_CHECKS = 1000


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token that was made with the key of the client whom it names, whether this client may call (now) or not.

    It is enough to seal the answer: only who holds the key can read it, a refusal too.
    """

    unverified: UnverifiedToken
    key: bytes
    claims: Claims


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated client: name, roles, the generation of the key that was used."""

    client: str
    roles: frozenset[Role]
    key_generation: int


def verify_token(backend: Backend, headers: dict[str, str], method: str, target: str) -> VerifiedToken:
    """Open the token; raises NotAuthenticatedError. Nothing tells an unknown client from a wrong key."""
    unverified = parse_authorization(headers.get("authorization", ""))
    key = backend.keyring.key(unverified.client, unverified.key_generation)
    return VerifiedToken(unverified, key, read_token(key, unverified, method, target))


def authenticate(backend: Backend, headers: dict[str, str], token: VerifiedToken) -> Caller:
    """Return the caller; raises NotAuthenticatedError where the token is not of now or the client is not accepted."""
    unverified, claims, now = token.unverified, token.claims, backend.clock.now()
    check_time(claims, now)
    client = backend.clients(unverified.client)
    if not client.accepts(unverified.key_generation, now):
        raise NotAuthenticatedError(_why_not(client, unverified.key_generation))
    if headers.get("idempotency-key", "") != claims.idempotency_key:
        raise NotAuthenticatedError("The Idempotency-Key is not the one that the token was made for.")
    if claims.idempotency_key and not IDEMPOTENCY_KEY.fullmatch(claims.idempotency_key):
        raise BadInputError("An Idempotency-Key has 1 to 128 visible ASCII characters.")
    return Caller(unverified.client, frozenset(client.roles), unverified.key_generation)


def authorize(row: PolicyRow, roles: frozenset[Role]) -> None:
    """Raise ForbiddenError where the policy's row does not name one of the caller's roles."""
    if not row.roles & roles:
        needed = " or ".join(sorted(row.roles))
        raise ForbiddenError(f"{row.operation} is for the role {needed}.", roles=sorted(row.roles))


def check_host(header: str, allowed: frozenset[str]) -> None:
    """Raise ForbiddenError for a Host that is not this backend's: a page of another site, rebound to this address."""
    bare = header[: header.index("]") + 1] if header.startswith("[") and "]" in header else header.partition(":")[0]
    if bare.lower() not in LOOPBACK | allowed:
        raise ForbiddenError("The Host header does not name this backend.", allowed=sorted(LOOPBACK | allowed))


def _why_not(client: Client, key_generation: int) -> str:
    if client.revoked:
        return f"Client {client.name!r} is revoked."
    if not client.exists:
        return "The token was not made with this client's key of this generation."
    return (
        f"Client {client.name!r} has a newer key; its key of generation {key_generation} is not accepted any more. Use"
        " the newest credentials, or ask a sys-admin for new ones."
    )


class StreamAuthentication:
    """Whether callers of event streams may still call: asked once a second for each client, whatever it has open.

    Used in the event loop alone.
    """

    def __init__(self, backend: Backend, pools: ThreadPools) -> None:
        self._backend, self._pools = backend, pools
        self._checks: dict[Caller, tuple[float, asyncio.Task[None]]] = {}

    async def check(self, caller: Caller) -> None:
        """Raise NotAuthenticatedError where the caller was revoked, or its key replaced, since the stream began."""
        last = self._checks.get(caller)
        if last is None or monotonic() - last[0] > RECHECK_SECONDS or last[1].cancelled():
            if len(self._checks) >= MOST_CHECKS:
                self._checks.clear()
            last = self._checks[caller] = (monotonic(), asyncio.create_task(self._check_now(caller)))
            last[1].add_done_callback(lambda check: check.cancelled() or check.exception())  # perhaps nobody waits
        await asyncio.shield(last[1])

    async def _check_now(self, caller: Caller) -> None:
        client = await self._pools.run(lambda: self._backend.clients(caller.client))
        if not client.accepts(caller.key_generation, self._backend.clock.now()):
            raise NotAuthenticatedError(f"Client {caller.client!r} is not accepted any more.")
