"""A request to stop ends serving in order, however early it comes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from starlette.types import Receive, Scope, Send

from adapters.host.shutdown import SIGNALS, ShutdownRequest
from adapters.host.sockets import listen_at
from adapters.http.routes.process_health import ProcessHealth, make_health_app
from adapters.serving import http_server
from adapters.serving.http_server import serve
from server.runner import Runner
from server.settings import read_settings
from tests.end_to_end.place import SECONDS, Place


def test_a_request_made_before_serving_ends_it_at_once() -> None:
    shutdown, stopped = ShutdownRequest(), Event()
    shutdown.make()
    with listen_at("127.0.0.1", 0) as listener:
        listener.open()
        serve(
            make_health_app(ProcessHealth("idle", lambda: None, dict)), listener, shutdown, stopped.set, connections=10
        )
    assert stopped.wait(SECONDS)


def test_a_call_that_is_cut_ends_before_the_process_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "LEAVE_SECONDS", 0.1)
    shutdown, recorded = ShutdownRequest(), Event()

    async def turn() -> None:
        """Take one of the event loop."""

    async def endless(scope: Scope, _receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            shutdown.make()
            try:
                await asyncio.Event().wait()
            finally:
                for _ in range(100):
                    await asyncio.create_task(turn())
                recorded.set()

    with listen_at("127.0.0.1", 0) as listener:
        listener.open()
        with socket.create_connection(listener.socket.getsockname()) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            serve(endless, listener, shutdown, lambda: None, connections=10)
    assert recorded.is_set()


@pytest.fixture
def received() -> Iterator[list[int]]:
    """Signals that would have ended this process."""
    received: list[int] = []
    before = {sig: signal.signal(sig, lambda sig, _: received.append(sig)) for sig in SIGNALS}
    yield received
    for sig, handler in before.items():
        signal.signal(sig, handler)


@pytest.mark.parametrize("sent", SIGNALS)
def test_signals_make_the_request_and_raise_nothing(received: list[int], sent: signal.Signals) -> None:
    shutdown = ShutdownRequest()
    shutdown.follow_signals()
    assert not shutdown.is_made
    os.kill(os.getpid(), sent)
    assert shutdown.is_made
    assert not received


@pytest.mark.parametrize("sent", SIGNALS)
def test_another_signal_does_not_cut_the_closing_short(received: list[int], sent: signal.Signals) -> None:
    closed: list[str] = []
    opened = ExitStack()
    opened.callback(closed.append, "stores")
    opened.callback(os.kill, os.getpid(), sent)
    runner = Runner(read_settings(mode="distributed"), None, None, [], lambda *_: None, opened)
    with listen_at("127.0.0.1", 0) as listener:
        runner.run(listener, lambda: None, ShutdownRequest())
    assert (closed, received) == (["stores"], [])
    assert signal.getsignal(sent) is signal.SIG_IGN  # while the process exits, too


INSTANCES = """
import os, signal
from server.instances import Instances

def run(number, answers):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    answers()
    signal.sigwait([signal.SIGTERM])
    os.kill(os.getppid(), signal.NAMED)

with Instances(run, 2) as several:
    several.request_stop()
    several.wait()
"""


@pytest.mark.parametrize("sent", SIGNALS)
def test_another_signal_does_not_change_how_instances_end(sent: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INSTANCES.replace("NAMED", sent.name)], check=False, capture_output=True, timeout=SECONDS
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


class Following:
    """A follower, which ends only if all were asked to."""

    def __init__(self, asked: Barrier) -> None:
        self._asked = asked
        self._thread = Thread(target=lambda: asked.wait(SECONDS), daemon=True)

    def start(self) -> None:
        """Begin when it is asked to end."""

    def request_stop(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.join()
        assert not self._asked.broken


def test_what_follows_ends_at_the_same_time() -> None:
    asked = Barrier(3)
    followers = [Following(asked) for _ in range(asked.parties)]
    settings = read_settings(mode="distributed")
    Runner(settings, None, None, followers, lambda *_: None, ExitStack()).close()


def test_a_process_stopped_as_soon_as_it_answers_ends_in_order(tmp_path: Path) -> None:
    places = [Place(tmp_path / str(number)) for number in range(3)]
    for place in places:  # side by side: their threads still load what a first start needs
        place.start()
        assert place.process is not None
        place.process.terminate()
    assert [place.process.wait(SECONDS) for place in places if place.process] == [0, 0, 0]
