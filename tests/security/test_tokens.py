"""A token proves one call of one client, for a minute; anything changed is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.keys import client_key
from adapters.security.tokens import Claims, check_time, parse_authorization, read_token
from autolearn.protocol.sealing import bound
from autolearn.protocol.tokens import EMPTY_SHA256, authorization
from domain.errors import NotAuthenticatedError

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
KEY = client_key(bytes(32), "ana", 1)
CALL: dict[str, Any] = {
    "client": "ana",
    "key_generation": 1,
    "method": "POST",
    "target": "/trainings?a=1",
    "body_sha256": EMPTY_SHA256,
    "request_id": "0123456789abcdef",
}


def header(**changes: Any) -> str:
    return authorization(changes.pop("key", KEY), **({"now": NOW.timestamp()} | CALL | changes))


def read(value: str, method: str = "POST", target: str = "/trainings?a=1", now: datetime = NOW) -> Claims:
    claims = read_token(KEY, parse_authorization(value), method, target)
    check_time(claims, now)
    return claims


def test_a_fresh_token_proves_its_request_id_and_body() -> None:
    assert read(header(idempotency_key="k1")) == Claims("0123456789abcdef", EMPTY_SHA256, "k1", int(NOW.timestamp()))


@given(place=st.integers(0, 10_000), other=st.integers(1, 127))
def test_any_changed_character_is_refused(place: int, other: int) -> None:
    value = header()
    at = place % len(value)
    changed = value[:at] + chr((ord(value[at]) + other) % 128) + value[at + 1 :]
    with pytest.raises(NotAuthenticatedError):
        read_token(
            client_key(bytes(32), parse_authorization(changed).client, parse_authorization(changed).key_generation),
            parse_authorization(changed),
            "POST",
            "/trainings?a=1",
        )


@pytest.mark.parametrize("target", ["/trainings", "/trainings?a=2", "/trainings?a=1&b=2", "/Trainings?a=1"])
def test_another_target_is_refused(target: str) -> None:
    with pytest.raises(NotAuthenticatedError, match="another method or path"):
        read(header(), target=target)


def test_another_method_is_refused() -> None:
    with pytest.raises(NotAuthenticatedError, match="another method or path"):
        read(header(), method="DELETE")


@pytest.mark.parametrize(("client", "generation"), [("bob", 1), ("ana", 2)])
def test_the_key_of_another_client_or_generation_is_refused(client: str, generation: int) -> None:
    with pytest.raises(NotAuthenticatedError, match="this client's key"):
        read(header(key=client_key(bytes(32), client, generation)))


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_ten_minutes_off_is_refused_with_both_times(minutes: int) -> None:
    made = NOW + timedelta(minutes=minutes)
    with pytest.raises(NotAuthenticatedError) as refusal:
        read(header(now=made.timestamp()))
    assert f"{made:%Y-%m-%dT%H:%M:%SZ}" in refusal.value.sentence
    assert "2026-05-01T12:00:00Z" in refusal.value.sentence
    assert "clock" in refusal.value.sentence


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_it_counts_for_a_minute(seconds: int) -> None:
    assert read(header(now=(NOW + timedelta(seconds=seconds)).timestamp())).request_id == "0123456789abcdef"


@pytest.mark.parametrize(
    "value",
    ["", "Bearer x", "AutoLearn", "AutoLearn ana.1", "AutoLearn ana.x.tok", "AutoLearn Ana.1.tok", "AutoLearn ana.0.t",
     "AutoLearn ana.1." + "A" * 5000, "AutoLearn a:b.1.tok"],
)  # fmt: skip
def test_a_header_without_the_form_is_refused(value: str) -> None:
    with pytest.raises(NotAuthenticatedError, match="Every call needs"):
        parse_authorization(value)


@pytest.mark.parametrize("request_id", ["", "short", "x" * 65, "with space in it", "0123456789\nabcdef"])
def test_an_odd_request_id_is_refused(request_id: str) -> None:
    with pytest.raises(NotAuthenticatedError, match="request id"):
        read(header(request_id=request_id))


def sealed_token(payload: bytes, now: int = int(NOW.timestamp())) -> str:
    """Return a header that a holder of the key made of anything."""
    token = Fernet(KEY).encrypt_at_time(payload, now).decode()
    return f"AutoLearn ana.1.{token}"


CLAIMS = (b"", b"{}", b"[]", b"null", b"1", b'"abc"', b'["a"]', b"[1, 2, 3]", b'["0123456789abcdef", 1, ""]',
          b'["0123456789abcdef", "", null]', b'[["0123456789abcdef"], "", ""]', b'{"a": 1, "b": 2, "c": 3}',
          b"[" * 1200,
          b"\xff\xfe", b'["0123456789abcdef", "", "", ""]', b"[1e999, NaN, 0]", b'["short", "", ""]')  # fmt: skip


@pytest.mark.parametrize("claims", CLAIMS)
def test_a_malformed_token_of_a_key_holder_is_refused(claims: bytes) -> None:
    with pytest.raises(NotAuthenticatedError):
        read(sealed_token(bound("token", "ana", "POST", "/trainings?a=1") + claims))
    with pytest.raises(NotAuthenticatedError):
        read(sealed_token(claims))


@given(st.binary(max_size=200))
def test_whatever_a_key_holder_seals_is_claims_or_refused(payload: bytes) -> None:
    with pytest.raises(NotAuthenticatedError):
        read(sealed_token(bound("token", "ana", "POST", "/trainings?a=1") + payload))


@pytest.mark.parametrize("made", [0, 2**31, 2**40, 2**62, 2**63 - 1])
def test_a_token_of_an_absurd_time_is_refused(made: int) -> None:
    good = json.dumps(["0123456789abcdef", EMPTY_SHA256, ""]).encode()
    with pytest.raises(NotAuthenticatedError, match="counts for 60 seconds"):
        read(sealed_token(bound("token", "ana", "POST", "/trainings?a=1") + good, made))
