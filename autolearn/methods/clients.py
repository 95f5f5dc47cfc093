"""Clients, for sys-admins, in Python: who may call, with which roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from autolearn.credentials import Credentials
from autolearn.errors import InvalidInputError
from autolearn.methods import Methods, Named, id_in
from autolearn.moments import Moment
from autolearn.results import Listing, Result
from autolearn.views import Block, View


class Client(Result):
    """A client. One that was just added or rotated has its key, which is shown nowhere: write its `credentials`."""

    __slots__ = ()
    client: str
    roles: list[str]
    generation: int
    revoked: bool
    NAMES: ClassVar[tuple[str, ...]] = ("client", "roles", "generation", "revoked")

    @property
    def credentials(self) -> Credentials:
        """What the client signs its calls with: `.write(file)` writes it, for its owner alone."""
        key = self.facts.get("key")
        if not key:
            raise InvalidInputError(f"The key of {self.client} is told only when it is made: rotate the client.")
        return Credentials(self.client, self.generation, str(key).encode())

    def blocks(self) -> list[Block]:
        return [{name: value for name, value in self.facts.items() if name != "key"}]


class ClientMethods(Methods):
    """Who may call."""

    def clients(self, *, as_of: Moment | None = None) -> Listing[Client]:
        view = View(lambda body: [list(body.get("clients", []))], rows="clients")
        return Listing(self._ask("clients", as_of=as_of), Client, view)

    def add_client(self, name: str, *, roles: Iterable[str] = ("analyst",)) -> Client:
        """Let a client call: `backend.add_client("ana").credentials.write("ana.json")`."""
        body: dict[str, Any] = {"client": name, "roles": list(roles)}
        return Client.of(self.client.post("clients", body=body))

    def rotate_client(self, name: Named) -> Client:
        """Give a client its next key; the one before is accepted for 24 hours."""
        return Client.of(self.client.post("clients", id_in(name, "client"), "rotation"))

    def revoke_client(self, name: Named) -> Client:
        """Accept nothing of a client any more."""
        return Client.of(self.client.post("clients", id_in(name, "client"), "revocation"))
