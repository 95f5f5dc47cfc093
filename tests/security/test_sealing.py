"""A seal opens only with the key, for the purpose and the call that it was made for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.keys import client_key
from adapters.security.tokens import parse_authorization, read_token
from autolearn.credentials import Credentials
from autolearn.errors import BrokenSealError
from autolearn.outgoing_call import OutgoingCall
from autolearn.protocol.answer_facts import PURPOSE, AnswerFacts
from autolearn.protocol.sealing import REQUEST, RESPONSE, event_purpose, seal, sealed_size, unseal
from domain.errors import NotAuthenticatedError

KEY = client_key(bytes(32), "ana", 1)
CALL = ("request", "0123456789abcdef", "POST", "/trainings")


@given(st.binary(max_size=2000))
def test_a_body_comes_back_and_its_size_is_computed(body: bytes) -> None:
    sealed = seal(KEY, *CALL, body)
    assert unseal(KEY, *CALL, sealed) == body
    assert len(sealed) == sealed_size(len(body))


def test_any_changed_byte_is_refused() -> None:
    sealed = seal(KEY, *CALL, b'{"model": "svm"}')
    for at, byte in enumerate(sealed):
        for other in set(range(256)) - {byte}:
            with pytest.raises(BrokenSealError):
                unseal(KEY, *CALL, sealed[:at] + bytes([other]) + sealed[at + 1 :])


@pytest.mark.parametrize("more", [b"=", b"\n", b" ", b"A", b"AAAA"])
def test_a_seal_with_more_than_its_own_bytes_is_refused(more: bytes) -> None:
    sealed = seal(KEY, *CALL, b"{}")
    for at in range(len(sealed) + 1):
        with pytest.raises(BrokenSealError):
            unseal(KEY, *CALL, sealed[:at] + more + sealed[at:])


@pytest.mark.parametrize("place", range(4))
def test_another_purpose_request_method_or_target_is_refused(place: int) -> None:
    purpose, request_id, method, target = (f"{part}x" if n == place else part for n, part in enumerate(CALL))
    with pytest.raises(BrokenSealError, match="another request"):
        unseal(KEY, purpose, request_id, method, target, seal(KEY, *CALL, b"{}"))


@pytest.mark.parametrize(("client", "generation"), [("bob", 1), ("ana", 2)])
def test_the_key_of_another_client_or_generation_is_refused(client: str, generation: int) -> None:
    with pytest.raises(BrokenSealError, match="this client's key"):
        unseal(client_key(bytes(32), client, generation), *CALL, seal(KEY, *CALL, b"{}"))


@given(st.tuples(st.text(), st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text(), st.text()))
def test_no_two_calls_share_a_seal(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    if one != other:
        with pytest.raises(BrokenSealError):
            unseal(KEY, *other, seal(KEY, *one, b"{}"))


def test_a_token_is_no_seal_and_a_seal_no_token() -> None:
    call = OutgoingCall(Credentials("ana", 1, KEY), "GET", "/session")
    token = parse_authorization(call.headers()["Authorization"])
    with pytest.raises(BrokenSealError):
        call.unseal(token.token.encode())
    sealed = seal(KEY, REQUEST, call.request_id, "GET", "/session", b"{}").decode()
    with pytest.raises(NotAuthenticatedError):
        read_token(KEY, parse_authorization(f"AutoLearn ana.1.{sealed}"), "GET", "/session")


def test_the_client_half_opens_what_the_backend_seals() -> None:
    call = OutgoingCall(Credentials("ana", 1, KEY), "POST", "/trainings")
    headers, sealed = call.seal_json(b'{"a": 1}')
    assert unseal(KEY, REQUEST, call.request_id, "POST", "/trainings", sealed) == b'{"a": 1}'
    assert headers["Content-Type"] == "application/vnd.autolearn.sealed"
    assert call.unseal(seal(KEY, RESPONSE, call.request_id, "POST", "/trainings", b"[]")) == b"[]"
    event = seal(KEY, event_purpose(3, "state", "S"), call.request_id, "POST", "/trainings", b"1")
    assert call.unseal_event(3, "state", "S", event) == b"1"
    facts = AnswerFacts(201, {"location": "/trainings/x"}, "ab")
    assert call.unseal_facts(facts.seal(KEY, call.request_id, "POST", "/trainings")) == facts


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"status": "x", "headers": {}, "sha256": ""}', b"[" * 5000])
def test_a_seal_of_anything_else_than_facts_is_refused(payload: bytes) -> None:
    call = OutgoingCall(Credentials("ana", 1, KEY), "GET", "/session")
    with pytest.raises(BrokenSealError):
        call.unseal_facts(seal(KEY, PURPOSE, call.request_id, "GET", "/session", payload).decode())
    with pytest.raises(BrokenSealError):
        call.unseal_facts("\x00é€" + "x" * 100)
