"""Nobody is believed about who calls but a configured proxy, and of that its own last word."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.serving.proxies import CallerAddress, canonical
from domain.errors import BadInputError
from server.settings import read_settings

PROXIES = [ip_network("10.1.0.0/16"), ip_network("::1")]


def seen(peer: str, *told: bytes, proxies: Any = PROXIES) -> str:
    """Return whom the application sees."""
    found: list[str] = []

    async def app(scope: Any, *_: Any) -> None:
        found.append(scope["client"][0])

    headers = [(b"forwarded", b"for=6.6.6.6"), (b"x-real-ip", b"6.6.6.6"), (b"x-forwarded-proto", b"https")]
    headers += [(b"x-forwarded-for", value) for value in told]
    scope = {"type": "http", "client": (peer, 1), "headers": headers, "scheme": "http"}
    asyncio.run(CallerAddress(app, proxies)(scope, None, None))  # type: ignore[arg-type]  # neither is called
    assert scope["scheme"] == "http"
    return found[0]


@pytest.mark.parametrize(
    ("peer", "told", "caller"),
    [
        ("10.1.2.3", (b"1.2.3.4",), "1.2.3.4"),
        ("::ffff:10.1.2.3", (b"1.2.3.4",), "1.2.3.4"),
        ("10.1.2.3", (b"6.6.6.6, 1.2.3.4",), "1.2.3.4"),
        ("10.1.2.3", (b"6.6.6.6", b"7.7.7.7,1.2.3.4 "), "1.2.3.4"),
        ("::1", (b"2001:DB8:0:0:0:0:0:1",), "2001:db8::1"),
        ("::1", (b"::ffff:1.2.3.4",), "1.2.3.4"),
        ("10.1.2.3", (), "10.1.2.3"),
        ("10.2.0.1", (b"1.2.3.4",), "10.2.0.1"),
        ("127.0.0.1", (b"1.2.3.4",), "127.0.0.1"),
        ("10.1.2.3", (b"1.2.3.4, nobody",), "10.1.2.3"),
        ("10.1.2.3", (b"1.2.3.4,",), "10.1.2.3"),
        ("10.1.2.3", (b"1.2.3.4:80",), "10.1.2.3"),
        ("10.1.2.3", (b"[::1]",), "10.1.2.3"),
        ("10.1.2.3", (b"fe80::1%" + b"x" * 20,), "10.1.2.3"),
        ("10.1.2.3", (b"1.2.3.4\x1b[2J",), "10.1.2.3"),
        ("10.1.2.3", ("\u0661.\u0662.\u0663.\u0664".encode(),), "10.1.2.3"),
        ("10.1.2.3", (b"9" * 2_000_000,), "10.1.2.3"),
        ("fe80::1%eth0", (b"1.2.3.4",), "fe80::1"),
    ],
)
def test_who_calls(peer: str, told: tuple[bytes, ...], caller: str) -> None:
    assert seen(peer, *told) == caller


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_without_proxies_no_header_counts(told: list[bytes]) -> None:
    assert seen("127.0.0.1", *told, proxies=()) == "127.0.0.1"


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_what_a_proxy_says_is_an_address_or_nothing(told: list[bytes]) -> None:
    caller = seen("10.1.2.3", *told)
    assert caller == str(canonical(caller))


def test_the_setting_takes_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_PROXIES", "127.0.0.1, 10.0.0.0/8,2001:db8::/32")
    assert [str(it) for it in read_settings().proxy_networks] == ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]
    monkeypatch.delenv("AUTOLEARN_PROXIES")
    assert read_settings().proxy_networks == ()


@pytest.mark.parametrize("wrong", ["*", "nginx", "10.0.0.1/8", "10.0.0.0/33", ",", "127.0.0.1,", "010.0.0.1"])
def test_the_setting_takes_nothing_else(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("AUTOLEARN_PROXIES", wrong)
    with pytest.raises(BadInputError, match="AUTOLEARN_PROXIES"):
        read_settings()
