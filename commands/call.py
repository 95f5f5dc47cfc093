"""Who calls, and what a command answers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from domain.events import Metadata
from domain.values import Role

CLIENTS = uuid5(NAMESPACE_URL, "autolearn/clients")


# Of the call that the current thread or coroutine works for; '' where it works for none. The log shows it.
CORRELATION: ContextVar[str] = ContextVar("correlation", default="")


@contextmanager
def correlated(correlation: str) -> Iterator[None]:
    """Work for a call within the context."""
    before = CORRELATION.set(correlation)
    try:
        yield
    finally:
        CORRELATION.reset(before)


def command_id(client: str, key: str) -> UUID:
    """Derive a command's id from its client and its Idempotency-Key (or else the request id)."""
    return uuid5(uuid5(CLIENTS, client), key)


def derive_id(source: bytes) -> str:
    """Derive the id of an experiment or search: 16 base32 characters, always the same ones from the same source."""
    return base64.b32encode(hashlib.sha256(source).digest()[:10]).decode().lower()


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call: `digest` (SHA-256, hex) names all that it asks, `correlation` is the id it all shares."""

    client: str
    roles: frozenset[Role]
    command_id: UUID
    correlation: str
    digest: str = ""

    @property
    def is_sysadmin(self) -> bool:
        return "sys-admin" in self.roles

    @property
    def metadata(self) -> Metadata:
        return Metadata(actor=self.client, correlation=self.correlation, causation=f"command:{self.command_id}")

    @property
    def experiment(self) -> str:
        """The id of the experiment that this call would create: 16 base32 characters drawn from the command id."""
        return derive_id(b"experiment" + self.command_id.bytes)

    @property
    def prediction(self) -> str:
        """The id of the prediction that this call would make."""
        return derive_id(b"prediction" + self.command_id.bytes)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: the JSON object, the log's position and chain hash (hex) after it.

    `pending` names the task (`<experiment>`, `<experiment>-e1`, …) that is not finished yet: HTTP 202.
    """

    body: dict[str, Any]
    position: int
    head: str
    pending: str | None = None
