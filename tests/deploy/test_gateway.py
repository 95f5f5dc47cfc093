"""The gateway with real services behind it: everything passes as it is, and past instances that are down."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from adapters.http.gateway import Gateway
from adapters.http.routing import SERVICES
from tests.deploy.echoes import Echo, served
from tests.deploy.passing import MIB, SECONDS, Door, Passing, instances

NOBODY = "http://127.0.0.1:9"


@contextmanager
def gateway(urls: dict[str, list[str]], behind: dict[str, list[Echo]]) -> Iterator[Door]:
    """Run a gateway in front of these instances."""
    with served(Gateway(urls)) as url:
        yield Door(url, behind)


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """A gateway in front of two instances of each service."""
    with instances(2) as (behind, urls), gateway(urls, behind) as opened:
        yield opened


class TestGateway(Passing):
    """What any door must do."""


@pytest.mark.parametrize("size", [100, MIB, 40 * MIB])
def test_a_refusal_of_a_file_that_nobody_reads_arrives(door: Door, size: int) -> None:
    status, _, told = door.asked("POST", "/catalog/datasets?way=refused", bytes(size))
    assert (status, told) == (413, {"type": "too-large"})


def test_instances_take_turns_and_a_dead_one_is_passed_by() -> None:
    with instances(2) as (behind, urls), gateway({it: [*urls[it], NOBODY] for it in urls}, behind) as door:
        for _ in range(6):
            assert door.asked("POST", "/trainings", b"{}")[0] == 200
        assert all(echo.heard for echo in behind["training"])


@pytest.mark.parametrize("there", [[], [NOBODY], [NOBODY, NOBODY]], ids=len)
def test_where_no_instance_answers_a_problem_says_so(there: list[str]) -> None:
    with gateway(dict.fromkeys(SERVICES, there), {}) as door:
        status, headers, told = door.asked("GET", "/session")
        assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/problem+json", "1")
        assert (told["type"], told["status"]) == ("not-able-now", 503)
        assert "session" in json.dumps(told["detail"])


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Host: 127.0.0.1\r\nHost: other", 422),
        (b"Host: 127.0.0.1\r\nAuthorization: a\r\nAuthorization: b", 422),
        (b"Host: 127.0.0.1\r\nX-More:\ta\t ", 200),
    ],
    ids=["two hosts", "two tokens", "white space"],
)
def test_headers_that_cannot_be_passed_on_as_they_came_are_no_outage(lines: bytes, status: int) -> None:
    with instances(1) as (behind, urls), gateway(urls, behind) as door, closing(door.connected()) as connection:
        connection.connect()
        connection.sock.sendall(b"GET /session HTTP/1.1\r\n" + lines + b"\r\n\r\n")
        assert connection.sock.recv(1 << 16).startswith(b"HTTP/1.1 %d " % status)


def test_repeated_headers_of_an_answer_stay_two_and_the_server_s_own_come_once(door: Door) -> None:
    connection = door.connected()
    connection.request("GET", "/session")
    reply = connection.getresponse()
    names = [name.lower() for name, _ in reply.getheaders()]
    reply.read()
    connection.close()
    assert (names.count("x-two"), names.count("date"), names.count("server")) == (2, 1, 1)


def test_its_connections_end_with_it() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as instance, ThreadPoolExecutor() as pool:
        there = (f"http://127.0.0.1:{instance.getsockname()[1]}",)
        opened = Gateway(dict.fromkeys(SERVICES, there))
        with served(opened) as url:
            call = pool.submit(Door(url, {}).asked, "GET", "/session")
            connection, _ = instance.accept()
            assert connection.recv(1 << 16).startswith(b"GET /session ")
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            assert call.result()[0] == 200
        with closing(connection):
            connection.settimeout(SECONDS)
            assert connection.recv(1) == b""
        del opened  # until here nobody else has closed them
