"""Connections end when nothing comes, and refuse what has no end, before it is kept."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.serving.connections import Connections
from tests.serving.place import QUICK, Place, all_of, place, until

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK"


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with place() as opened:
        yield opened


def refusal(answer: bytes) -> tuple[int, str]:
    """Return status and slug of a plain problem that ended a connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {problem['status']} ".encode())
    return problem["status"], problem["type"]


@pytest.mark.parametrize(
    ("said", "status", "slug"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "not-http"),  # TLS
        (b"\r\n" * 200_000, 431, "headers-too-large"),
        (b"GET", 408, "too-slow"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nx", 408, "too-slow"),
        (b"GET /\xff\xfe HTTP/1.1\r\n\r\n", 400, "not-http"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "not-http"),
        (b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n", 414, "target-too-long"),
        (b"GET /" + b"a" * 25_000_000, 414, "target-too-long"),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 9000 + b"\r\n\r\n", 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 25_000_000, 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"b" * 25_000_000, 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 102, 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + (b"a: " + b"b" * 8000 + b"\r\n") * 6, 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 4_000_000, 431, "headers-too-large"),
        (CHUNKED + b"1;" + b"x" * 25_000_000, 431, "headers-too-large"),
        (CHUNKED + b"1\r\nx\r\n0\r\n" + b"t: " + b"x" * 25_000_000, 431, "headers-too-large"),
        (CHUNKED + b"1\r\nx\r\n0\r\n" + b"t: x\r\n" * 4_000_000, 431, "headers-too-large"),
        (CHUNKED + b"no size\r\n", 400, "not-http"),
        (CHUNKED, 408, "too-slow"),
        (POST % 100 + b"half", 408, "too-slow"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_what_is_no_request_is_refused(here: Place, said: bytes, status: int, slug: str) -> None:
    here.refused.clear()
    assert refusal(here.said(said)) == (status, slug)
    assert here.refused == [(slug, "127.0.0.1")]
    until(lambda: not len(here.connections))


def test_who_says_nothing_is_left_without_a_word(here: Place) -> None:
    here.refused.clear()
    assert here.said(b"") == b""
    with here.caller(GET) as caller:
        assert all_of(caller).startswith(OK)  # and ends: no further request comes
    assert here.refused == []


def test_a_head_that_drips_has_no_more_time_than_any(here: Place) -> None:
    with here.caller(b"GET / HTTP/1.1\r\n") as caller:
        caller.settimeout(0.1)
        answer = b""
        for _ in range(100):
            try:
                caller.sendall(b"a: b\r\n")
                answer += caller.recv(65536)
            except TimeoutError:
                continue
            break
        caller.settimeout(10)
        assert refusal(answer + all_of(caller)) == (408, "too-slow")


def test_a_body_that_drips_ends_and_the_application_is_informed(here: Place) -> None:
    here.left.clear()
    with here.caller(POST % 1_000_000) as caller:
        caller.settimeout(0.1)
        answer = b""
        for _ in range(100):
            try:
                caller.sendall(b"x" * 10)
                answer += caller.recv(65536)
            except TimeoutError:
                continue
            break
        caller.settimeout(10)
        assert refusal(answer + all_of(caller)) == (408, "too-slow")
    assert here.left.wait(10)


@pytest.mark.parametrize("requests_before", [0, 1])
def test_a_body_that_a_look_finds_on_its_way_has_its_time(
    monkeypatch: pytest.MonkeyPatch, requests_before: int
) -> None:
    looks, look = [], Connections.check_deadlines

    def count(connections: Connections, now: float) -> None:
        look(connections, now)
        looks.append(now)

    monkeypatch.setattr(Connections, "check_deadlines", count)
    patient = replace(QUICK, header_seconds=600, pace_seconds=600, idle_seconds=600)
    with place(patient) as here, closing(HTTPConnection("127.0.0.1", here.port, timeout=60)) as caller:
        for _ in range(requests_before):
            caller.request("GET", "/")
            assert caller.getresponse().read() == b"0"
        caller.putrequest("POST", "/")
        caller.putheader("content-length", "3")
        caller.endheaders()
        until(lambda: len(here.scopes) > requests_before)
        seen = len(looks)
        until(lambda: len(looks) > seen + 1)
        caller.send(b"abc")
        assert caller.getresponse().read() == b"3"


def test_a_slow_body_that_moves_on_arrives(here: Place) -> None:
    pieces = 25
    with here.caller(POST % (pieces * 400)) as caller:
        caller.settimeout(0.1)
        answer = b""
        for _ in range(pieces):
            caller.sendall(b"x" * 400)
            try:
                answer += caller.recv(65536)
            except TimeoutError:
                continue
        caller.settimeout(10)
        assert (answer + all_of(caller)).startswith(OK)
    assert here.bodies[-1] == b"x" * pieces * 400


@pytest.mark.parametrize("path", [b"large", b"stream"])
def test_who_does_not_read_is_left(here: Place, path: bytes) -> None:
    here.left.clear()
    with here.caller(b"GET /%s HTTP/1.1\r\nhost: a\r\n\r\n" % path, 4096):
        until(lambda: len(here.scopes) > 0 and here.scopes[-1]["path"] == f"/{path.decode()}")
        until(lambda: not len(here.connections))
    assert path == b"large" or here.left.wait(10)


def test_who_reads_slowly_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    look = Connections.check_deadlines

    def counted(connections: Connections, now: float) -> None:
        look(connections, now)
        looks.append(now)

    monkeypatch.setattr(Connections, "check_deadlines", counted)
    limits = replace(QUICK, pace_seconds=2)
    request = b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    with place(limits) as slow, slow.caller(request, 4096) as caller:
        got = len(caller.recv(100))
        for _ in range(6):
            seen, wanted = len(looks), got + 20 * limits.pace_bytes
            while got < wanted:
                got += len(caller.recv(20 * limits.pace_bytes))
            until(lambda: len(looks) > seen)  # noqa: B023 - asked at once
            assert len(slow.connections) == 1
        while part := caller.recv(1 << 20):
            got += len(part)
    assert got > 64 << 20


def test_a_request_too_early_is_not_answered_and_ends_the_connection(here: Place) -> None:
    answer = here.said(GET + GET + GET)
    assert answer.count(OK) == 1
    assert b"connection: close" in answer


def test_requests_one_after_the_other_share_a_connection(here: Place) -> None:
    with here.caller() as caller:
        for _ in range(300):
            caller.sendall(POST % 2 + b"{}")
            answer = b""
            while not answer.endswith(b"\r\n\r\n2"):
                answer += caller.recv(65536)
            assert answer.startswith(OK)


def test_trailers_are_no_headers(here: Place) -> None:
    said = CHUNKED + b"2\r\n{}\r\n0\r\nauthorization: mine\r\n\r\n"
    with here.caller(said) as caller:
        assert caller.recv(65536).startswith(OK)
    assert [name for name, _ in here.scopes[-1]["headers"]] == [b"host", b"transfer-encoding"]


def test_an_upgrade_is_not_made_and_ends_the_connection(here: Place) -> None:
    answer = here.said(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x00\x01\x02")
    assert answer.startswith(OK)
    assert b"connection: close" in answer


def test_who_closes_one_half_is_gone(here: Place) -> None:
    here.left.clear()
    with here.caller(POST % 100 + b"half") as caller:
        caller.shutdown(socket.SHUT_WR)
        assert here.left.wait(10)


class TestRoom:
    """Of a server that takes three."""

    @pytest.fixture
    def narrow(self) -> Iterator[Place]:
        with place(replace(QUICK, most=3, header_seconds=60, idle_seconds=60, pace_seconds=60)) as opened:
            yield opened

    def test_the_longest_silent_makes_room(self, narrow: Place) -> None:
        first = narrow.caller(b"GET / HT")
        until(lambda: len(narrow.connections) == 1)
        others = [narrow.caller(b"GET / HT") for _ in range(2)]
        until(lambda: len(narrow.connections) == 3)
        for _ in range(5):
            with narrow.caller(GET) as caller:
                assert caller.recv(65536).startswith(OK)
        assert all_of(first) == b""
        for other in (first, *others):
            other.close()

    def test_who_is_answered_stays_and_a_new_one_is_refused(self, narrow: Place) -> None:
        busy = [narrow.caller(POST % 2 + b"{") for _ in range(3)]
        try:
            until(lambda: len(narrow.scopes) == 3)
            assert refusal(narrow.said(b"")) == (503, "not-able-now")
            assert narrow.refused == [("not-able-now", "127.0.0.1")]
        except BaseException:
            for caller in busy:
                caller.close()
            raise
        for caller in busy:
            caller.sendall(b"}")
            assert caller.recv(65536).startswith(OK)
            caller.close()
        until(lambda: not len(narrow.connections))


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_no_bytes_break_it(here: Place, parts: list[bytes]) -> None:
    with here.caller() as caller:
        try:
            for part in parts:
                caller.sendall(part)
            caller.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        all_of(caller)
    until(lambda: not len(here.connections))
