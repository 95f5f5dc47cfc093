"""What crosses the wire, recorded by a man in the middle: no session data, and nothing that can be done twice."""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.place import Shell

SECRETS = (
    b"logistic-regression",
    b"decision-tree",
    b"C=0.123",
    b'"C"',
    b"precision",
    b"wine",
    b"said-in-confidence",
    b"max_depth",
)


class Recorder(socketserver.ThreadingTCPServer):
    """Forwards connections to a backend and keeps all bytes, both ways."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, backend: str) -> None:
        super().__init__(("127.0.0.1", 0), ForwardedConnection)
        parts = urlsplit(backend)
        self.to = (parts.hostname or "", parts.port or 0)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []


class ForwardedConnection(socketserver.BaseRequestHandler):
    """One connection through the recorder."""

    server: Recorder

    def handle(self) -> None:
        """Pass bytes on until both sides have ended."""
        with socket.create_connection(self.server.to) as backend:
            back = threading.Thread(target=pass_on, args=(backend, self.request, self.server.answers))
            back.start()
            pass_on(self.request, backend, self.server.requests)
            back.join()


def pass_on(one: socket.socket, other: socket.socket, kept: list[bytes]) -> None:
    """Send what comes from one to the other; keep it as one piece."""
    passed = b""
    try:
        while data := one.recv(65536):
            passed += data
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    kept.append(passed)


@pytest.fixture
def recorder(shell: Shell) -> Iterator[Recorder]:
    """A recorder in front of the backend."""
    with Recorder(shell.url) as it:
        serving = threading.Thread(target=it.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield it
        it.shutdown()
        serving.join()


def test_no_session_data_crosses_in_plain(shell: Shell, recorder: Recorder) -> None:
    watched = Shell(recorder.url, shell.credentials, shell.data)
    watched("train", "wine", "logistic-regression", "-p", "C=0.123", "--evaluate")
    watched("train", "wine", "decision-tree", "-p", "max_depth=3", "--no-wait")
    watched("train", "wine", "no-such-model", code=5)
    watched("session")
    watched("wait", watched("session").json["experiments"][-1]["experiment"], "--timeout", "60")
    watched("commit", "--message", "said-in-confidence")
    crossed = b"".join([*recorder.requests, *recorder.answers])
    assert crossed.count(b"application/vnd.autolearn.sealed") >= 10
    assert [secret for secret in SECRETS if secret in crossed] == []


def test_a_recorded_command_that_is_sent_again_does_nothing_again(shell: Shell, recorder: Recorder) -> None:
    watched = Shell(recorder.url, shell.credentials, shell.data)
    first = watched("train", "iris", "naive-bayes").json
    position = shell("catalog", "datasets").json["position"]
    recorded = next(request for request in recorder.requests if request.startswith(b"POST /trainings"))
    again = sent(shell.url, recorded)
    assert again.status in (200, 201)
    assert again.getheader("AutoLearn-Position") == str(first["position"])
    assert shell("catalog", "datasets").json["position"] == position
    assert shell("session").json["experiments"][-1]["experiment"] == first["experiment"]
    shell("discard")


def test_a_recorded_command_on_another_route_or_with_another_body_is_refused(shell: Shell, recorder: Recorder) -> None:
    Shell(recorder.url, shell.credentials, shell.data)("train", "iris", "naive-bayes")
    recorded = next(request for request in recorder.requests if request.startswith(b"POST /trainings"))
    assert sent(shell.url, recorded.replace(b"POST /trainings", b"POST /evaluations", 1)).status == 401
    head, _, body = recorded.partition(b"\r\n\r\n")
    changed = body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]
    assert sent(shell.url, head + b"\r\n\r\n" + changed).status == 409, "the request was answered before"
    shell("discard")


def sent(url: str, request: bytes) -> http.client.HTTPResponse:
    """Send recorded bytes and read the answer."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        return answer
