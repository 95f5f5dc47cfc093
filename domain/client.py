"""Client: who may call, in which roles, with which generation of its key. It holds no key material."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from domain.errors import BadInputError, ConflictError, NotFoundError
from domain.events import Aggregate, Event
from domain.values import ROLES, Role, check_client_name

GRACE = timedelta(hours=24)


class ClientAdded(Event):
    """The client may call from now on."""

    NAME: ClassVar[str] = "client-added.v1"
    roles: tuple[Role, ...]

    def apply(self, aggregate: Client) -> None:
        aggregate.roles, aggregate.key_generation, aggregate.revoked = self.roles, aggregate.key_generation + 1, False


class ClientRotated(Event):
    """The client has a new key generation; the previous one is accepted until `previous_until`."""

    NAME: ClassVar[str] = "client-rotated.v1"
    generation: int
    previous_until: datetime

    def apply(self, aggregate: Client) -> None:
        aggregate.key_generation, aggregate.previous_until = self.generation, self.previous_until


class ClientRevoked(Event):
    """The client may not call any more."""

    NAME: ClassVar[str] = "client-revoked.v1"

    def apply(self, aggregate: Client) -> None:
        aggregate.revoked, aggregate.previous_until = True, None


class Client(Aggregate):
    roles: tuple[Role, ...] = ()
    key_generation: int = 0
    revoked: bool = False
    previous_until: datetime | None = None

    @property
    def name(self) -> str:
        return self.id.partition(":")[2]

    def add(self, roles: Sequence[Role]) -> None:
        """Let the client call; a revoked client returns with a new key generation."""
        check_client_name(self.name)
        if self.exists and not self.revoked:
            raise ConflictError(f"Client {self.name!r} exists already.")
        unknown = [role for role in roles if role not in ROLES]
        if unknown or not roles:
            raise BadInputError(f"Roles are {' and '.join(ROLES)}, at least one of them.", allowed=list(ROLES))
        self.trigger_event(ClientAdded, roles=tuple(dict.fromkeys(roles)))

    def rotate(self, now: datetime) -> None:
        """Start the next key generation."""
        self._check_active()
        self.trigger_event(ClientRotated, generation=self.key_generation + 1, previous_until=now + GRACE)

    def revoke(self) -> None:
        self._check_active()
        self.trigger_event(ClientRevoked)

    def accepts(self, key_generation: int, now: datetime) -> bool:
        """Whether a token of this key generation is valid at this time."""
        if self.revoked or not self.exists:
            return False
        grace = (
            self.previous_until is not None and now < self.previous_until and key_generation == self.key_generation - 1
        )
        return key_generation == self.key_generation or grace

    def _check_active(self) -> None:
        if not self.exists:
            raise NotFoundError.for_name("client", self.name)
        if self.revoked:
            raise ConflictError(
                f"Client {self.name!r} is revoked. `autolearn client add {self.name} --role ROLE` lets it call again,"
                " with a new key."
            )
