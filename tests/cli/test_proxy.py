"""`autolearn proxy`: what it refuses, and that what it passes on is the same in plain."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from autolearn.client import BackendClient
from cli.proxy import LocalProxy
from tests.cli import fake_backend
from tests.cli.fake_backend import FakeBackend, Reply, problem
from tests.cli.hostile import HOSTILE, is_hostile


@pytest.fixture
def proxy(client: BackendClient) -> Iterator[LocalProxy]:
    proxy = LocalProxy(client, 0)
    thread = Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield proxy
    proxy.shutdown()
    thread.join()
    proxy.server_close()


def send(
    proxy: LocalProxy, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any, bytes]:
    """Send one request behind the secret; return status, headers and body."""
    connection = HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path.replace("SECRET", proxy.secret), body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def test_plain_in_and_plain_out(backend: FakeBackend, proxy: LocalProxy) -> None:
    headers = {"AutoLearn-Position": "7", "Location": "/trainings/x"}
    backend.on("POST", "/trainings", lambda seen: Reply({"got": seen.body}, 202, headers))
    status, got, content = send(
        proxy, "POST", "/SECRET/trainings?x=1", b'{"a": 1}', Content_Type="application/json", Prefer="respond-async",
        Idempotency_Key="once",
    )  # fmt: skip
    assert (status, json.loads(content)) == (202, {"got": {"a": 1}})
    assert got["AutoLearn-Position"] == "7"
    assert got["Location"] == f"/{proxy.secret}/trainings/x"
    assert got["Content-Type"] == "application/json"
    seen = backend.seen[0]
    assert (seen.query, seen.headers["Prefer"], seen.headers["Idempotency-Key"]) == (
        {"x": "1"},
        "respond-async",
        "once",
    )


def test_json_that_passes_steers_no_terminal(
    backend: FakeBackend, proxy: LocalProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = SimpleNamespace(dumps=partial(json.dumps, ensure_ascii=False), loads=json.loads)
    monkeypatch.setattr(fake_backend, "json", as_it_is)
    text = "".join(character for character in HOSTILE if not "\ud800" <= character <= "\udfff")
    backend.on("GET", "/catalog", Reply({"name": text, text: 1}))
    backend.on("GET", "/session", problem(404, "not-found", text))
    for path, body in (("catalog", {"name": text, text: 1}), ("session", {"detail": text})):
        content = send(proxy, "GET", f"/SECRET/{path}")[2].decode()
        assert list(filter(is_hostile, content)) == []
        assert {key: json.loads(content)[key] for key in body} == body


def test_problems_pass_in_plain(backend: FakeBackend, proxy: LocalProxy) -> None:
    backend.on("GET", "/session", problem(404, "not-found", "No session."))
    status, headers, content = send(proxy, "GET", "/SECRET/session")
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(content)["detail"] == "No session."


def test_raw_files_pass_as_they_are(backend: FakeBackend, proxy: LocalProxy) -> None:
    backend.on("POST", "/catalog/datasets", lambda seen: Reply({"size": len(seen.body)}))
    body = b"x" * 3_000_000
    status, _, content = send(proxy, "POST", "/SECRET/catalog/datasets", body, Content_Type="application/octet-stream")
    assert (status, json.loads(content)) == (200, {"size": len(body)})
    backend.on("GET", "/experiments/x/model", Reply(raw=b"\x00m", media="application/octet-stream"))
    assert send(proxy, "GET", "/SECRET/experiments/x/model")[2] == b"\x00m"


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*"])
def test_streams_pass_opened(backend: FakeBackend, proxy: LocalProxy, accept: str) -> None:
    backend.on("POST", "/verifications", Reply(events=[("progress", {"progress": 0.5}), ("result", {"ok": True})]))
    status, headers, content = send(proxy, "POST", "/SECRET/verifications", b"{}", Accept=accept)
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    assert ("text/event-stream" in backend.seen[0].headers["Accept"]) == (accept == "text/event-stream")
    assert content.decode().split("\n\n")[1] == 'id: 2\nevent: result\ndata: {"ok": true}'


@pytest.mark.parametrize(
    "path", ["/session", "/wrong/session", "/SECRET", "/SECRETx/session", "/%53ECRET/session", "//session"]
)
def test_without_the_secret_nothing_passes(backend: FakeBackend, proxy: LocalProxy, path: str) -> None:
    status, _, content = send(proxy, "GET", path)
    assert status == 403
    assert proxy.secret.encode() not in content
    assert backend.seen == []


def test_a_rebound_name_does_not_pass(backend: FakeBackend, proxy: LocalProxy) -> None:
    for host in ("evil.example", f"evil.example:{proxy.server_port}", "127.0.0.1", f"127.0.0.1:{proxy.server_port}1"):
        assert send(proxy, "GET", "/SECRET/session", Host=host)[0] == 403
    assert backend.seen == []


def test_a_page_of_another_site_does_not_pass(backend: FakeBackend, proxy: LocalProxy) -> None:
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{proxy.server_port}"):
        assert send(proxy, "POST", "/SECRET/session/commit", b"{}", Origin=origin)[0] == 403
    assert backend.seen == []


def test_its_own_page_passes(backend: FakeBackend, proxy: LocalProxy) -> None:
    backend.on("GET", "/session", Reply({"session": "ana-1"}))
    for name in ("localhost", "127.0.0.1"):
        host = f"{name}:{proxy.server_port}"
        status, headers, _ = send(proxy, "GET", "/SECRET/session", Host=host, Origin=f"http://{host}")
        assert status == 200
        assert "Access-Control-Allow-Origin" not in headers


def test_a_body_of_unknown_or_absurd_length_does_not_pass(backend: FakeBackend, proxy: LocalProxy) -> None:
    assert send(proxy, "POST", "/SECRET/trainings", Transfer_Encoding="chunked")[0] == 400
    assert send(proxy, "POST", "/SECRET/trainings", Content_Length=str(2 << 30))[0] == 413
    assert backend.seen == []


def test_every_start_has_its_own_secret(client: BackendClient, proxy: LocalProxy) -> None:
    with LocalProxy(client, 0) as other:
        assert other.secret != proxy.secret
        assert other.server_address[0] == "127.0.0.1"


def test_the_openapi_page_works_behind_the_proxy(backend: FakeBackend, proxy: LocalProxy) -> None:
    document = json.dumps({"openapi": "3.1.0", "paths": {}}).encode()
    backend.on("GET", "/openapi.json", Reply(raw=document, media="application/json"))
    backend.on("GET", "/docs", Reply(raw=b"url: '/openapi.json'", media="text/html"))
    assert json.loads(send(proxy, "GET", "/SECRET/openapi.json")[2])["servers"] == [{"url": f"/{proxy.secret}"}]
    assert f"/{proxy.secret}/openapi.json".encode() in send(proxy, "GET", "/SECRET/docs")[2]


def test_a_backend_that_is_gone_is_a_problem(backend: FakeBackend, proxy: LocalProxy) -> None:
    backend.on("GET", "/session", Reply(broken=True))
    status, _, content = send(proxy, "GET", "/SECRET/session")
    problem = json.loads(content)
    assert (status, problem["type"], problem["status"]) == (503, "unreachable", 503)


def raw(proxy: LocalProxy, request: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes, and return status and problem."""
    with socket.create_connection(("127.0.0.1", proxy.server_port), 10) as connection:
        connection.sendall(
            request.replace(b"SECRET", proxy.secret.encode()).replace(b"PORT", b"%d" % proxy.server_port)
        )
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.headers.get_content_type() == "application/problem+json"
        return answer.status, json.loads(answer.read())


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\nPrefer: wait=1\x00\r\n\r\n",
        b"GET /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\nPrefer: respond-async,\r\n wait=1\r\n\r\n",
        b"GET /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\nIdempotency-Key: a\r\n\tb\r\n\r\n",
        b"GET /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\nAccept\x00: x\r\n\r\n",
        b"GET /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\nno colon here\r\n\r\n",
        b"GET /SECRET/ses\x00sion HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n",
        b"GET /SECRET/ses\x7fsion HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n",
        b"GET /SECRET/session HTTP/x\r\nHost: localhost:PORT\r\n\r\n",
        b"nonsense is no request line\r\n\r\n",
        b"PATCH /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n",
        b"GET /SECRET/session HTTP/1.1\r\nHost: localhost:PORT\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_cannot_be_passed_on_is_a_problem_with_its_status(
    backend: FakeBackend, proxy: LocalProxy, request_: bytes
) -> None:
    status, problem = raw(proxy, request_)
    assert status in {400, 431, 501, 505}
    assert problem["status"] == status
    assert backend.seen == []


@pytest.mark.parametrize("path", ["/session", "/SECRET"])
def test_a_refusal_of_the_proxy_says_its_status(proxy: LocalProxy, path: str) -> None:
    status, _, content = send(proxy, "GET", path)
    assert (status, json.loads(content)["status"]) == (403, 403)


def test_a_stream_that_breaks_ends_with_a_problem(backend: FakeBackend, proxy: LocalProxy) -> None:
    backend.on("POST", "/verifications", Reply(events=[("progress", {"progress": 0.5})]))
    status, _, content = send(proxy, "POST", "/SECRET/verifications", b"{}")
    *_, last, _ = content.decode().split("\n\n")
    assert status == 200
    assert "HTTP/1.0" not in content.decode()
    assert last.startswith("id: 2\nevent: problem\n")
    assert json.loads(last.partition("data: ")[2])["status"] == 503


def test_a_changed_answer_does_not_pass(backend: FakeBackend, proxy: LocalProxy) -> None:
    backend.on("GET", "/session", Reply({}, sealed_for="another-request"))
    status, _, content = send(proxy, "GET", "/SECRET/session")
    assert (status, json.loads(content)["status"]) == (503, 503)
