"""The real nginx with the compose file's own configuration, in front of services that tell what reached them."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.http.policy import OPEN, POLICY
from adapters.http.routes.context import REACHED_WITHIN
from server.roles import SERVICES
from tests.deploy.echoes import Echo, served
from tests.deploy.nginx import NOBODY, TEMPLATE, VARIABLES, Nginx
from tests.serving.place import until

SECONDS = 60.0
MIB = 1 << 20


@dataclass
class Proxy:
    """nginx, and the instances of each service behind it."""

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
    """Start instances of each service; yields them and their addresses."""
    with ExitStack() as opened:
        behind = {service: [Echo(service)] for service in SERVICES}
        for echoes in behind.values():
            echoes += [Echo(echoes[0].name, left=echoes[0].left) for _ in range(each - 1)]
        addresses = {
            service: [urlsplit(opened.enter_context(served(it))).netloc for it in echoes]
            for service, echoes in behind.items()
        }
        yield behind, addresses


@contextmanager
def nginx(folder: Path, addresses: dict[str, list[str]], template: str | None = None) -> Iterator[Nginx]:
    """Run nginx in front of these addresses."""
    server = Nginx(folder, addresses, template=template)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Nginx in front of two instances of each service, and one address where nobody listens."""
    with instances(2) as (behind, addresses):
        with_nobody = {service: [NOBODY, *addresses[service]] for service in addresses}
        with nginx(tmp_path_factory.mktemp("nginx"), with_nobody) as server:
            yield Proxy(server.url, behind)


@pytest.fixture
def proxy(shared: Proxy) -> Proxy:
    """The same, without what another case has left."""
    for echo in [echo for echoes in shared.behind.values() for echo in echoes]:
        echo.forget()
    return shared


def test_every_route_of_the_policy_reaches_its_own_service(proxy: Proxy) -> None:
    for row in POLICY:
        path = row.template.replace("{name}", "wine").replace("{id}", "abcd")
        if not path.endswith("/events"):
            _, _, answer = proxy.asked(row.method, path)
            assert (answer["service"], answer["raw_path"]) == (row.service, path)


def test_each_service_is_asked_for_what_all_have(proxy: Proxy) -> None:
    for path in sorted(OPEN):
        assert proxy.asked("GET", path)[2]["service"] == "storage"
        for service in SERVICES:
            _, _, answer = proxy.asked("GET", f"/services/{service}{path}")
            assert (answer["service"], answer["raw_path"]) == (service, path)


def test_what_nobody_knows_goes_to_storage_to_be_refused(proxy: Proxy) -> None:
    for path in ("/", "/nothing", "/catalogue", "/services/catalog/clients", "/services/other/metrics", "/logs"):
        _, _, answer = proxy.asked("GET", path)
        assert (answer["service"], answer["raw_path"]) == ("storage", path)


def test_path_query_headers_and_body_arrive_as_they_were_signed(proxy: Proxy) -> None:
    target = "/catalog/models/a%2Fb%20c%C3%A9//x?where=a%20%3E+1&x=%41&empty="
    content = bytes(range(256)) * 4000
    status, headers, answer = proxy.asked("POST", target, content, Authorization="AutoLearn a.1.x", Host="here.test:1")
    assert (status, answer["method"], answer["service"]) == (200, "POST", "catalog")
    assert f"{answer['raw_path']}?{answer['query']}" == target
    assert (answer["sha256"], answer["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    sent = dict(answer["headers"])
    assert (sent["authorization"], sent["host"]) == ("AutoLearn a.1.x", "here.test:1")
    assert headers["content-type"] == "application/json"


def test_who_called_is_recorded_and_cannot_be_forged(proxy: Proxy) -> None:
    _, _, answer = proxy.asked("GET", "/session", X_Forwarded_For="6.6.6.6")
    assert [value for name, value in answer["headers"] if name == "x-forwarded-for"] == ["127.0.0.1"]


def test_a_large_file_passes_whole(proxy: Proxy) -> None:
    content = bytes(1 << 16) * 16 * 40
    _, _, answer = proxy.asked("POST", "/catalog/datasets?name=x", content)
    assert (answer["size"], answer["sha256"]) == (40 * MIB, hashlib.sha256(content).hexdigest())


def test_an_upload_whose_caller_leaves_is_left(proxy: Proxy) -> None:
    connection = proxy.connected()
    connection.putrequest("POST", "/catalog/datasets")
    connection.putheader("Content-Length", str(10 * MIB))
    connection.endheaders(bytes(MIB))
    connection.close()
    assert proxy.behind["catalog"][0].left.wait(SECONDS)


def test_events_come_at_once_and_end_with_their_reader(proxy: Proxy) -> None:
    connection = proxy.connected()
    connection.request("GET", "/trainings/abcd/events")
    reply = connection.getresponse()
    assert reply.readline() == b"event: progress\n"
    reply.close()
    connection.close()
    assert proxy.behind["training"][0].left.wait(SECONDS)


def test_an_answer_that_breaks_off_is_no_whole_one(proxy: Proxy) -> None:
    connection = proxy.connected()
    connection.request("GET", "/experiments/broken")
    reply = connection.getresponse()
    try:
        whole = len(reply.read()) == int(reply.getheader("content-length") or -1)
    except (http.client.IncompleteRead, ConnectionError):
        whole = False
    connection.close()
    assert not whole


def test_calls_go_past_an_instance_that_is_unable(proxy: Proxy) -> None:
    proxy.behind["evaluation"][0].unable = True
    for _ in range(4):
        assert proxy.asked("POST", "/evaluations", b"{}")[0] == 200


def test_a_position_that_is_not_reached_is_asked_of_one_instance_alone(tmp_path: Path) -> None:
    """They all ask the same read models, so each would wait as long for the same answer."""
    seconds, text = 0.2, TEMPLATE.read_text(encoding="utf-8")
    (limit,) = re.findall(r"location @after_position \{\s+proxy_next_upstream_timeout (\d+)s;", text)
    assert int(limit) < REACHED_WITHIN
    template = text.replace(f"proxy_next_upstream_timeout {limit}s;", "proxy_next_upstream_timeout 100ms;")
    with instances(2) as (behind, addresses), nginx(tmp_path, addresses, template) as server:
        proxy = Proxy(server.url, behind)
        for echo in behind["session"]:
            echo.unable, echo.seconds = True, seconds
        status, _, answer = proxy.asked("GET", "/session?after_position=9")
        assert (status, answer["service"], answer["query"]) == (503, "session", "after_position=9")
        assert sum(len(echo.heard) for echo in behind["session"]) == 1


def test_a_query_goes_past_an_instance_that_refuses_it_at_once(proxy: Proxy) -> None:
    proxy.behind["session"][0].unable = True
    for _ in range(4):
        assert proxy.asked("GET", "/session?after_position=9")[0] == 200


def test_if_all_are_unable_their_own_answer_arrives(tmp_path: Path) -> None:
    with instances(2) as (behind, addresses), nginx(tmp_path, addresses) as server:
        for echo in behind["session"]:
            echo.unable = True
        status, _, answer = Proxy(server.url, behind).asked("POST", "/session/commit", b"{}")
    assert (status, answer["service"]) == (503, "session")


def test_a_body_that_no_gate_would_take_is_refused_by_nginx(proxy: Proxy) -> None:
    status, headers, answer = proxy.asked("POST", "/trainings", bytes(5 * MIB))
    assert (status, headers["content-type"], answer["type"]) == (413, "application/problem+json", "too-large")


def test_instances_take_turns_and_a_dead_one_is_passed_by(proxy: Proxy) -> None:
    for _ in range(9):
        assert proxy.asked("POST", "/trainings", b"{}")[0] == 200
    assert all(echo.heard for echo in proxy.behind["training"])


def test_where_no_instance_answers_a_problem_says_so(tmp_path: Path) -> None:
    with nginx(tmp_path, {service: [NOBODY] for service in SERVICES}) as server:
        status, headers, answer = Proxy(server.url, {}).asked("POST", "/session/commit", b"{}")
    assert (status, headers["content-type"], headers["retry-after"]) == (503, "application/problem+json", "1")
    assert (answer["type"], answer["status"]) == ("not-able-now", 503)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Host: 127.0.0.1\r\nHost: other", 400),
        (b"Host: 127.0.0.1\r\nAuthorization: a\r\nAuthorization: b", 400),
        (b"Host: 127.0.0.1\r\nX-More:\ta\t ", 200),
    ],
    ids=["two hosts", "two tokens", "white space"],
)
def test_headers_that_cannot_be_passed_on_as_they_came_are_no_outage(proxy: Proxy, lines: bytes, status: int) -> None:
    with closing(proxy.connected()) as connection:
        connection.connect()
        connection.sock.sendall(b"GET /session HTTP/1.1\r\n" + lines + b"\r\n\r\n")
        assert connection.sock.recv(1 << 16).startswith(b"HTTP/1.1 %d " % status)


def test_repeated_headers_of_an_answer_stay_two_and_the_server_s_own_come_once(proxy: Proxy) -> None:
    with closing(proxy.connected()) as connection:
        connection.request("GET", "/session")
        reply = connection.getresponse()
        names = [name.lower() for name, _ in reply.getheaders()]
        reply.read()
    assert (names.count("x-two"), names.count("date"), names.count("server")) == (2, 1, 1)


def test_a_refusal_of_a_small_file_that_nobody_reads_arrives(proxy: Proxy) -> None:
    status, _, answer = proxy.asked("POST", "/catalog/datasets?way=refused", bytes(100))
    assert (status, answer) == (413, {"type": "too-large"})


def test_the_bytes_of_a_file_arrive_before_it_is_whole(proxy: Proxy) -> None:
    with closing(proxy.connected()) as connection:
        connection.putrequest("POST", "/catalog/datasets")
        connection.putheader("Content-Length", str(2 * MIB))
        connection.endheaders(bytes(MIB))
        until(lambda: any(echo.begun.is_set() for echo in proxy.behind["catalog"]))
        connection.send(bytes(MIB))
        assert json.loads(connection.getresponse().read())["size"] == 2 * MIB


def test_a_frozen_instance_is_left_once_it_was_silent_for_too_long(tmp_path: Path) -> None:
    """What a stopped process is to others: the system takes connections for it, and that is all."""
    quick = TEMPLATE.read_text(encoding="utf-8").replace("proxy_read_timeout 150s", "proxy_read_timeout 1s")
    assert quick.count("proxy_read_timeout 1s") == 1
    with closing(socket.create_server(("127.0.0.1", 0))) as frozen, instances(1) as (behind, addresses):
        silent = f"127.0.0.1:{frozen.getsockname()[1]}"
        beside = {service: [silent, *addresses[service]] for service in SERVICES} | {"session": [silent]}
        with nginx(tmp_path, beside, quick) as server:
            proxy = Proxy(server.url, behind)
            for _ in range(2):
                assert proxy.asked("POST", "/trainings", b"{}")[0] == 200
            assert proxy.asked("GET", "/session")[0] == 503


def test_instances_come_and_go_and_no_call_notices(tmp_path: Path) -> None:
    with instances(2) as (behind, addresses), nginx(tmp_path, {it: addresses[it][:1] for it in addresses}) as server:
        proxy = Proxy(server.url, behind)
        with ThreadPoolExecutor(1) as pool, closing(proxy.connected()) as stream:
            stream.request("GET", "/trainings/abcd/events")
            events = stream.getresponse()
            assert events.readline() == b"event: progress\n"
            calls = pool.submit(lambda: [proxy.asked("GET", "/session")[0] for _ in range(200)])
            for number in (0, 1, 0, 1):
                server.use({service: addresses[service][number : number + 1] for service in addresses})
            assert set(calls.result()) == {200}
            until(lambda: proxy.asked("GET", "/session")[0] == 200 and bool(behind["session"][1].heard))  # it reloads
            assert events.readline() == b"data: 1\n", "a stream that was open goes on"
            events.close()


def test_the_template_needs_what_the_compose_file_gives() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", TEMPLATE.read_text(encoding="utf-8"))) == set(VARIABLES)
