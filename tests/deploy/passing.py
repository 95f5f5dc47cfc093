"""What any door in front of the services must do, be it the gateway or nginx: cases that both run."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.http.policy import OPEN, POLICY
from adapters.http.routing import SERVICES
from tests.deploy.echoes import Echo, served

SECONDS = 60.0
MIB = 1 << 20


@dataclass
class Door:
    """One URL, and what stands behind it: instances of each service."""

    url: str
    behind: dict[str, list[Echo]]

    def connected(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)

    def asked(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Send a call as it stands; return status, headers and the JSON object."""
        connection = self.connected()
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # a refusal comes before all is sent
                connection.request(method, target, body, {name.replace("_", "-"): it for name, it in headers.items()})
            reply = connection.getresponse()
            return reply.status, {name.lower(): it for name, it in reply.getheaders()}, json.loads(reply.read())
        finally:
            connection.close()


@contextmanager
def instances(each: int) -> Iterator[tuple[dict[str, list[Echo]], dict[str, list[str]]]]:
    """Start instances of each service; yields them and their URLs."""
    with ExitStack() as opened:
        behind = {service: [Echo(service)] for service in SERVICES}
        for echoes in behind.values():
            echoes += [Echo(echoes[0].name, left=echoes[0].left) for _ in range(each - 1)]
        urls = {service: [opened.enter_context(served(it)) for it in echoes] for service, echoes in behind.items()}
        yield behind, urls


class Passing:
    """The cases; a subclass has the fixture `door`."""

    @pytest.fixture(autouse=True)
    def anew(self, door: Door) -> None:
        """Let no case see what another has left."""
        for echo in [echo for echoes in door.behind.values() for echo in echoes]:
            echo.forget()

    def test_every_route_of_the_policy_reaches_its_own_service(self, door: Door) -> None:
        for row in POLICY:
            path = row.template.replace("{name}", "wine").replace("{id}", "abcd")
            if not path.endswith("/events"):
                _, _, told = door.asked(row.method, path)
                assert (told["service"], told["raw_path"]) == (row.service, path)

    def test_each_service_is_asked_for_what_all_have(self, door: Door) -> None:
        for path in sorted(OPEN):
            assert door.asked("GET", path)[2]["service"] == "storage"
            for service in SERVICES:
                _, _, told = door.asked("GET", f"/services/{service}{path}")
                assert (told["service"], told["raw_path"]) == (service, path)

    def test_what_nobody_knows_is_for_a_gate_to_refuse(self, door: Door) -> None:
        for path in ("/", "/nothing", "/catalogue", "/services/catalog/clients", "/services/other/metrics", "/logs"):
            _, _, told = door.asked("GET", path)
            assert (told["service"], told["raw_path"]) == ("storage", path)

    def test_path_query_headers_and_body_arrive_as_they_were_signed(self, door: Door) -> None:
        target = "/catalog/models/a%2Fb%20c%C3%A9//x?where=a%20%3E+1&x=%41&empty="
        content = bytes(range(256)) * 4000
        status, headers, told = door.asked("POST", target, content, Authorization="AutoLearn a.1.x", Host="here.test:1")
        assert (status, told["method"], told["service"]) == (200, "POST", "catalog")
        assert f"{told['raw_path']}?{told['query']}" == target
        assert (told["sha256"], told["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
        sent = dict(told["headers"])
        assert (sent["authorization"], sent["host"]) == ("AutoLearn a.1.x", "here.test:1")
        assert headers["content-type"] == "application/json"

    def test_who_called_is_told_and_cannot_be_forged(self, door: Door) -> None:
        _, _, told = door.asked("GET", "/session", X_Forwarded_For="6.6.6.6")
        assert [value for name, value in told["headers"] if name == "x-forwarded-for"] == ["127.0.0.1"]

    def test_a_large_file_passes_whole(self, door: Door) -> None:
        content = bytes(1 << 16) * 16 * 40
        _, _, told = door.asked("POST", "/catalog/datasets?name=x", content)
        assert (told["size"], told["sha256"]) == (40 * MIB, hashlib.sha256(content).hexdigest())

    def test_an_upload_whose_caller_leaves_is_left(self, door: Door) -> None:
        connection = door.connected()
        connection.putrequest("POST", "/catalog/datasets")
        connection.putheader("Content-Length", str(10 * MIB))
        connection.endheaders(bytes(MIB))
        connection.close()
        assert door.behind["catalog"][0].left.wait(SECONDS)

    def test_events_come_at_once_and_end_with_their_reader(self, door: Door) -> None:
        connection = door.connected()
        connection.request("GET", "/trainings/abcd/events")
        reply = connection.getresponse()
        assert reply.readline() == b"event: progress\n"
        reply.close()
        connection.close()
        assert door.behind["training"][0].left.wait(SECONDS)

    def test_an_answer_that_breaks_off_is_no_whole_one(self, door: Door) -> None:
        connection = door.connected()
        connection.request("GET", "/experiments/broken")
        reply = connection.getresponse()
        try:
            whole = len(reply.read()) == int(reply.getheader("content-length") or -1)
        except (http.client.IncompleteRead, ConnectionError):
            whole = False
        connection.close()
        assert not whole

    def test_calls_go_past_an_instance_that_is_unable(self, door: Door) -> None:
        door.behind["evaluation"][0].unable = True
        for _ in range(4):
            assert door.asked("POST", "/evaluations", b"{}")[0] == 200

    def test_if_all_are_unable_their_own_answer_arrives(self, door: Door) -> None:
        for echo in door.behind["session"]:
            echo.unable = True
        status, _, told = door.asked("POST", "/session/commit", b"{}")
        assert (status, told["service"]) == (503, "session")
