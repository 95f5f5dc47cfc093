"""Who calls: the address of the connection, or the one that a configured proxy has added. Nobody else is believed."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_FOR = b"x-forwarded-for"
LONGEST = 45  # an IPv6 address, written in full with an IPv4 address at its end


def canonical(text: str) -> Address | None:
    """Return the address that a text is, whole and alone; None for anything else. IPv4 in IPv6 is IPv4."""
    if len(text) > LONGEST or "%" in text or not text.isascii():
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class CallerAddress:
    """ASGI middleware: replaces the address of the connection by that of the caller, in its canonical form."""

    def __init__(self, app: ASGIApp, proxies: Iterable[Network] = ()) -> None:
        self._app, self._proxies = app, tuple(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            scope["client"] = (self._caller(scope), scope["client"][1])
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> str:
        seen: str = scope["client"][0]
        peer = canonical(seen.partition("%")[0])  # a link-local one names its interface
        if peer is None:
            return seen
        return str((self._is_proxy(peer) and _last_hop(scope)) or peer)

    def _is_proxy(self, peer: Address) -> bool:
        return any(peer in network for network in self._proxies)


def _last_hop(scope: Scope) -> Address | None:
    """Return the last address of the last header: a proxy adds there whom it saw, and before it anybody may write."""
    forwarded = [value for name, value in scope["headers"] if name == FORWARDED_FOR]
    if not forwarded:
        return None
    return canonical(forwarded[-1].rpartition(b",")[2].strip(b" \t").decode("latin-1"))
