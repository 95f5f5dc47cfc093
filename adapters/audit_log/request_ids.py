"""Request ids of commands: each is used once, and the first answer is kept for its repeats, for a while.

What a command appended is answered from the log for ever. This is about the rest: commands that were refused, or that
had nothing to change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from typing import Any, Protocol

from autolearn.protocol.tokens import VALID_SECONDS

KEPT_SECONDS = 10 * VALID_SECONDS  # a token from a clock that is ahead is valid for up to 2 of them
LARGEST_KEPT = 256 * 1024


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """An answer as it was sent, sealed; `call` is the digest of the call that it answers ('' where it was not read).

    `problem`, `position` and `digest` are what the audit log says of it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    call: str = ""
    problem: str = ""
    position: int = 0
    digest: str = ""

    def stored(self) -> bytes:
        facts = [self.status, self.headers, self.call, self.problem, self.position, self.digest]
        return json.dumps(facts).encode() + b"\n" + self.body

    @classmethod
    def read(cls, stored: bytes) -> FirstAnswer:
        facts, _, body = stored.partition(b"\n")
        status, headers, call, problem, position, digest = json.loads(facts)
        return cls(status, tuple((name, value) for name, value in headers), body, call, problem, position, digest)


class Trace(Enum):
    """What can answer a repeat of a request id: the log or a kept answer, nothing, or the id was not used after all."""

    ANSWERABLE = auto()
    UNANSWERABLE = auto()
    UNUSED = auto()


@dataclass(frozen=True, slots=True)
class Earlier:
    """The first use of a request id: whether it is still at work, and its answer where it is kept."""

    is_running: bool
    answer: FirstAnswer | None = None


class RequestIds(Protocol):
    """Which request ids of commands were used, by a client each. All raise NotAbleError."""

    def claim(self, client: str, request_id: str) -> bool:
        """Take a request id for the first time; False where it was used before, or is being used."""
        ...

    def earlier(self, client: str, request_id: str) -> Earlier | None:
        """Return what is known of the first use; None where it ended without any, and is the caller's now."""
        ...

    def keep(self, client: str, request_id: str, answer: FirstAnswer) -> None:
        """Keep the first answer, durably."""
        ...

    def release(self, client: str, request_id: str, trace: Trace) -> None: ...


def key_of(client: str, request_id: str) -> bytes:
    """Return what a store knows a request id by: 32 bytes."""
    return sha256(json.dumps([client, request_id]).encode()).digest()


def intact(stored: Any) -> FirstAnswer | None:
    """Read a stored answer; None if it is damaged, because then it is lost."""
    try:
        return FirstAnswer.read(stored)
    except (ValueError, TypeError, RecursionError):
        return None
