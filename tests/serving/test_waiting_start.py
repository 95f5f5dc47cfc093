"""A start waits for what is away, answers on its port meanwhile, and ends for anything else."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import httpx
import pytest

from adapters.host.retry import Retry
from adapters.host.shutdown import SIGNALS, ShutdownRequest
from adapters.host.sockets import Listener, listen_at
from domain.errors import AutoLearnError, BadInputError, ConflictError, DiskReserveError, ForbiddenError, NotAbleError
from server.compose import waiting_start
from server.compose.waiting_start import WaitingStart
from server.runner import Runner
from server.settings import read_settings

AWAY = NotAbleError("No broker of Kafka (AUTOLEARN_KAFKA) answers in time at 10.0.0.7:9092.")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Leave the signals of this process as they were."""
    before = {sig: signal.getsignal(sig) for sig in SIGNALS}
    yield
    for sig, handler in before.items():
        signal.signal(sig, handler)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_start, "RETRY", Retry(shortest=0.001, longest=0.002))


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listen_at("127.0.0.1", 0) as opened:
        yield opened


def make_runner(closed: list[str], start: Callable[[], None] = lambda: None) -> Runner:
    opened = ExitStack()
    opened.callback(closed.append, "closed")

    class Starting:
        """A follower."""

        def start(self) -> None:
            start()

        def request_stop(self) -> None:
            """It does nothing."""

        stop = request_stop

    return Runner(read_settings(mode="distributed"), None, None, [Starting()], lambda *_: None, opened)


class Opening:
    """Opens a runner once what it is told is over; `between` is called before each attempt but the first."""

    def __init__(self, troubles: list[AutoLearnError], between: Callable[[], None] = lambda: None) -> None:
        self.troubles, self.between, self.count, self.closed = troubles, between, 0, list[str]()

    def __call__(self) -> Runner:
        self.count += 1
        if self.count > 1:
            self.between()
        if self.troubles:
            raise self.troubles.pop(0)
        return make_runner(self.closed)


def run(opening: Callable[[], Runner], listener: Listener | None, **more: Any) -> Runner | None:
    start = WaitingStart(read_settings(mode="distributed"), "serve session", listener, **more)
    return start.run(opening, ShutdownRequest(), is_first=False)


def test_the_port_answers_while_it_waits(listener: Listener) -> None:
    told: list[tuple[int, Any]] = []

    def ask() -> None:
        for path in ("/health/live", "/health/ready", "/session?x=1"):
            answer = httpx.get(listener.url + path)
            told.append((answer.status_code, answer.json()))
        assert "autolearn_starting 1.0" in httpx.get(listener.url + "/metrics").text

    assert run(Opening([AWAY], ask), listener) is not None
    (live, ready, call) = told
    assert live == (200, {"status": "live"})
    assert (ready[0], ready[1]["status"], ready[1]["kind"]) == (503, "not-ready", "serve session")
    assert "No broker of Kafka (AUTOLEARN_KAFKA)" in ready[1]["fault"]
    assert (call[0], call[1]["type"]) == (503, "not-able-now")
    assert "10.0.0.7" not in json.dumps(told), "no stranger is told an address"


def test_it_is_ready_to_serve_on_the_same_address(listener: Listener) -> None:
    runner = run(Opening([AWAY, AWAY, AWAY]), listener)
    assert runner is not None
    answered = Event()
    runner.serve = lambda taken, *_: answered.set() if taken.socket.fileno() >= 0 else None
    runner.run(listener, lambda: None, ShutdownRequest())
    assert answered.is_set()


def test_each_reason_is_told_once(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    opening = Opening([AWAY, AWAY, NotAbleError("MongoDB."), AWAY])
    assert run(opening, listener, report=told.append) is not None
    assert told == [AWAY.sentence, "MongoDB.", AWAY.sentence]
    assert [record.getMessage().partition(" (")[0] for record in caplog.records if "waits" in record.message][1] == (
        "serve session waits: MongoDB."
    )


@pytest.mark.parametrize("kind", [BadInputError, ConflictError, ForbiddenError, DiskReserveError])
def test_what_waiting_cannot_mend_ends_it(listener: Listener, kind: type[AutoLearnError]) -> None:
    with pytest.raises(kind):
        run(Opening([AWAY, kind("no")]), listener)


@pytest.mark.parametrize(("trouble", "ends"), [(AWAY, False), (BadInputError("no"), True)])
def test_a_runner_that_does_not_start_is_closed(trouble: AutoLearnError, *, ends: bool) -> None:
    closed, troubles = list[str](), [trouble]

    def start() -> None:
        if troubles:
            raise troubles.pop()

    if ends:
        with pytest.raises(BadInputError):
            run(lambda: make_runner(closed, start), None)
    else:
        assert run(lambda: make_runner(closed, start), None) is not None
    assert closed == ["closed"]


@pytest.mark.parametrize("sent", SIGNALS)
def test_a_signal_ends_the_wait(listener: Listener, sent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_start, "RETRY", Retry(shortest=1000, longest=1000))
    shutdown = ShutdownRequest()

    def opening() -> Runner:
        shutdown.make(sent)
        raise AWAY

    start = WaitingStart(read_settings(mode="distributed"), "relay", listener)
    assert start.run(opening, shutdown, is_first=False) is None
