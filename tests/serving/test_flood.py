"""A real backend, and callers by the thousand that are silent, slow, or never read: those who ask are served."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from autolearn.client import BackendClient
from autolearn.credentials import Credentials
from autolearn.positions import Positions
from tests.end_to_end.place import Place
from tests.serving.place import until

MIB = 1 << 20
HEAD = b"GET /session HTTP/1.1\r\nhost: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # of this process, which makes the callers
    place = Place(tmp_path_factory.mktemp("flood") / "data")
    place.start()
    yield place
    place.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def callers(place: Place, many: int, kinds: list[bytes], opened: ExitStack) -> list[socket.socket]:
    """Open connections, one after the other, each of the next kind."""
    port = int(place.url.rpartition(":")[2])
    made = []
    for n in range(many):
        caller = opened.enter_context(socket.socket())
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.settimeout(60)
        caller.connect(("127.0.0.1", port))
        caller.sendall(kinds[n % len(kinds)])
        made.append(caller)
    return made


def descriptors(place: Place) -> int:
    assert place.process is not None
    return len(list(Path(f"/proc/{place.process.pid}/fd").iterdir()))


def memory(place: Place) -> int:
    """Return the backend's resident memory in bytes."""
    assert place.process is not None
    return int(Path(f"/proc/{place.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()


def seconds_of_calls(place: Place, calls: int = 20) -> list[float]:
    """Return how long sealed calls take, each on a connection of its own."""
    own = Credentials.read(place.data / "credentials.json")
    client = BackendClient(
        place.url, own, Positions.of(place.data / "credentials.json", place.url, own.client, own.key)
    )
    took = []
    for _ in range(calls):
        begin = time.perf_counter()
        client.get("session")
        took.append(time.perf_counter() - begin)
    return took


def test_thousands_of_bad_callers_keep_nobody_out_and_go(backend: Place) -> None:
    before = descriptors(backend)
    kinds = [b"", b"GET", HEAD, HEAD + b"x: " + b"y" * 4000, b"POST /trainings HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"]
    kinds += [b"GET /openapi.json HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"]
    with ExitStack() as opened:
        callers(backend, 2400, kinds, opened)
        assert sorted(seconds_of_calls(backend))[10] < 1.0
        assert descriptors(backend) < before + 1100
        until(lambda: descriptors(backend) <= before + 20)
    assert backend_log(backend).count("\n") < 200
    assert "Traceback" not in backend_log(backend)


def backend_log(place: Place) -> str:
    return (place.data / "backend.log").read_text()


@pytest.mark.parametrize(
    "said",
    [
        b"GET /" + b"a" * 25 * MIB,
        b"GET / HTTP/1.1\r\nx: " + b"y" * 25 * MIB,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (4 * MIB),
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 25 * MIB,
    ],
    ids=["target", "one header", "many headers", "trailer"],
)
def test_heads_without_an_end_leave_no_memory_taken(backend: Place, said: bytes) -> None:
    before = memory(backend)
    for _ in range(10):
        with ExitStack() as opened, suppress(ConnectionError):
            callers(backend, 1, [said], opened)
    assert memory(backend) < before + 12 * MIB
