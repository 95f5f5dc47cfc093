"""A real backend that has no descriptor left: known callers get sealed answers, and no experiment fails by it."""

from __future__ import annotations

import http.client
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from autolearn.credentials import Credentials
from autolearn.outgoing_call import OutgoingCall
from tests.end_to_end.place import Place
from tests.serving.place import until


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "data")
    place.start()
    yield place
    place.stop()


class Known:
    """The client `local` on a connection that stays open."""

    def __init__(self, place: Place) -> None:
        self.own = Credentials.read(place.data / "credentials.json")
        self.connection = http.client.HTTPConnection(place.url.removeprefix("http://"), timeout=60)
        self.connection.connect()

    def asks(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Return the status and the opened body of a sealed answer."""
        call = OutgoingCall(self.own, method, target)
        own, sent = (call.headers(), b"") if body is None else call.seal_json(json.dumps(body).encode())
        self.connection.request(method, target, sent, own | headers)
        reply = self.connection.getresponse()
        return reply.status, json.loads(call.unseal(reply.read()))


def test_known_callers_are_answered_and_a_training_waits(backend: Place) -> None:
    assert backend.process is not None
    pid, log = backend.process.pid, backend.data / "backend.log"
    with ExitStack() as opened:
        first, second, third = (Known(backend) for _ in range(3))
        for it in (first, second, third):
            opened.callback(it.connection.close)
            assert it.asks("GET", "/session")[0] == 200
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(it.name) for it in Path(f"/proc/{pid}/fd").iterdir()) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
        status, refusal = first.asks("POST", "/verifications", {})
        assert (status, refusal["type"]) == (503, "not-able-now")
        status, training = second.asks("POST", "/trainings", {"dataset": "iris", "model": "svm"}, Prefer="wait=1")
        assert (status, training["state"]) == (202, "started")
        for _ in range(300):
            caller = opened.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(("127.0.0.1", int(backend.url.rpartition(":")[2])))
        until(lambda: log.read_text().count("out of system resource") > 3)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert "more like this" not in "".join(it for it in log.read_text().splitlines() if "system resource" in it)
    later = Known(backend)
    until(lambda: later.asks("GET", f"/trainings/{training['experiment']}")[1].get("state") == "completed")
    later.connection.close()
    assert "Traceback" not in log.read_text()
