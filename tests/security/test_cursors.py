"""A cursor comes back unchanged, or is refused; the same payload gives the same cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.cursors import HmacCursorSeal
from domain.errors import BadCursorError

SEAL = HmacCursorSeal(bytes(32))
PAYLOAD = {"client": "ana", "n": 2**62, "value": 0.1, "where": "precision > 0.9 é"}


def test_a_payload_comes_back() -> None:
    assert SEAL.open(SEAL.sign(PAYLOAD)) == PAYLOAD


@given(place=st.integers(0, 10_000), other=st.integers(1, 127))
def test_a_changed_cursor_is_refused(place: int, other: int) -> None:
    cursor = SEAL.sign(PAYLOAD)
    at = place % (len(cursor) - 1)  # the last character may be padding of base64
    with pytest.raises(BadCursorError, match="changed"):
        SEAL.open(cursor[:at] + chr((ord(cursor[at]) + other) % 128) + cursor[at + 1 :])


@given(st.text(max_size=100))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursorError):
        SEAL.open(text)


def test_a_cursor_of_another_backend_is_refused() -> None:
    with pytest.raises(BadCursorError, match="another backend"):
        SEAL.open(HmacCursorSeal(b"x" * 32).sign(PAYLOAD))


def test_the_same_payload_gives_the_same_cursor() -> None:
    assert SEAL.sign(PAYLOAD) == HmacCursorSeal(bytes(32)).sign(dict(PAYLOAD))


@pytest.mark.parametrize("value", ["a" * 4096, "é" * 2000, "\ud800"], ids=["long", "accents", "a lone surrogate"])
def test_a_cursor_at_a_long_text_comes_back(value: str) -> None:
    assert SEAL.open(SEAL.sign(PAYLOAD | {"value": value}))["value"] == value
