"""Servers and processes die, freeze and come back: what goes on meanwhile, what waits, and that nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any, Self

import pytest

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.errors import ClientError
from autolearn.targets import target_of
from tests.end_to_end.fleet import Fleet, Member, fleet_on, proxy_of, until
from tests.end_to_end.place import Shell
from tests.servers.fixtures import own
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer
from tests.servers.process import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

UNABLE = 503
# Seconds, with room for a busy machine; docs/benchmarks.md has what a quiet one takes.
REFUSED_WITHIN = 20.0  # the timeout of one operation, twice behind another call's record, and a second for its own
TAKEN_OVER_WITHIN = 10.0  # of three kills the quickest
KILLS = 3
PROCESSES = ("relay", "project", "work catalog", "serve catalog", "serve training", "serve session", "serve storage")


@dataclass
class Place:
    """An installation on servers of its own, and its sys-admin as a shell and as a Remote Proxy."""

    fleet: Fleet
    kafka: Server
    mongodb: Server
    shell: Shell
    client: BackendClient
    added: int = 0

    def add(self) -> tuple[str, int]:
        """Give a command that appends one event; return the client's name that it added, and the event's position."""
        self.added += 1
        name = f"c{self.added}"
        answer = self.client.post("clients", body={"client": name, "roles": ["analyst"]})
        return name, answer.position

    def look(self, *path: str, **query: Any) -> Response:
        """Ask without waiting for one's own writes."""
        return self.client.exchange(self.client.call("GET", target_of(path, query)))

    def is_visible(self, position: int) -> bool:
        """Whether the read models have reached a position."""
        answer = self.look("catalog", "models")
        return not answer.is_problem and answer.body["position"] >= position

    def living(self) -> list[int]:
        """Return the ids of the processes that live."""
        return [it.process.pid for it in self.fleet.members if it.process.poll() is None]

    def check(self) -> None:
        """All that is stored agrees, and the topics hold it, each once: nothing lost, nothing twice."""
        found = self.shell("verify", "--against", "kafka").json
        assert found["ok"], found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One process of each kind that answers or carries; tests start what stands by."""
    folder = tmp_path_factory.mktemp("outages")
    with (
        own(KafkaServer, folder / "kafka") as kafka,
        own(MongoServer, folder / "mongodb") as mongodb,
        fleet_on(folder, kafka.url, mongodb.url, shared=False) as fleet,
    ):
        fleet.start_these(*PROCESSES)
        shell = fleet.client("ana", "analyst", "sys-admin")
        yield Place(fleet, kafka, mongodb, shell, proxy_of(shell))


def test_while_kafka_is_down_all_but_the_news_goes_on(place: Place) -> None:
    _, before = place.add()
    until(lambda: place.is_visible(before))
    place.kafka.kill()
    the_whole_of_commands_goes_on(place)
    until(lambda: place.fleet.one("relay").get("/health/ready")[0] == UNABLE)
    assert place.look("catalog", "models", as_of=f"@{before}").body["position"] == before
    assert place.look("catalog", "models").body["position"] >= before
    assert place.look("log", limit=5).body["communications"]
    _, last = place.add()
    place.kafka.start()
    until(lambda: place.is_visible(last))
    until(lambda: place.fleet.one("relay").get("/health/ready")[0] == 200)
    place.check()


def the_whole_of_commands_goes_on(place: Place) -> None:
    """Train and commit without a broker."""
    trained = place.client.post("trainings", body={"dataset": "iris", "model": "naive-bayes"}).body
    assert trained["state"] == "completed"
    committed = place.client.post("session", "commit", body={"experiments": []}).body
    assert committed["experiments"] == [trained["experiment"]]


def test_a_frozen_kafka_holds_up_no_command(place: Place) -> None:
    place.kafka.freeze()
    try:
        the_whole_of_commands_goes_on(place)
        _, last = place.add()
    finally:
        place.kafka.thaw()
    until(lambda: place.is_visible(last))
    place.check()


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_while_mongodb_is_away_calls_are_refused_in_time_and_nothing_acknowledged_is_lost(
    place: Place, how: str
) -> None:
    living = place.living()
    with Adding(place) as adding:
        until(lambda: len(adding.acknowledged) > 10)
        (place.mongodb.kill if how == "killed" else place.mongodb.freeze)()
        began = time.monotonic()
        refused = place.look("catalog", "models")
        took = time.monotonic() - began
        until(lambda: place.fleet.one("work catalog").get("/health/ready")[0] == UNABLE)
        command = place.client.exchange(place.client.call("POST", "/session/discard"))
        (place.mongodb.start if how == "killed" else place.mongodb.thaw)()
        known = len(adding.acknowledged)
        until(lambda: len(adding.acknowledged) > known + 10)
    print(f"MongoDB {how}: refused after {took:.1f} s")  # noqa: T201 - measured
    assert (refused.status, command.status) == (UNABLE, UNABLE)
    assert refused.problem["type"] == "not-able-now"
    assert int(refused.headers["Retry-After"]) > 0
    assert took < REFUSED_WITHIN
    names = [it["client"] for it in place.look("clients").body["clients"]]
    assert set(adding.acknowledged) <= set(names)
    until(lambda: place.is_visible(place.look("clients").body["position"]))
    place.check()
    assert place.living() == living


class Adding:
    """Adds clients, one after the other, until it is left; keeps the names of those that were acknowledged."""

    def __init__(self, place: Place) -> None:
        self.place, self.stopped = place, Event()
        self.acknowledged: list[str] = []
        self.pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self.ended = self.pool.submit(self.go_on)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.ended.result()
        self.pool.shutdown()

    def go_on(self) -> None:
        """Add, again and again."""
        while not self.stopped.is_set():
            try:
                self.acknowledged.append(self.place.add()[0])
            except ClientError:
                self.stopped.wait(0.1)


@pytest.mark.parametrize("kind", ["relay", "project"])
def test_a_standby_takes_over_at_once(place: Place, kind: str) -> None:
    seconds = []
    for _ in range(KILLS):
        place.fleet.start(kind)
        until(lambda: in_charge(place, kind))
        in_charge(place, kind)[0].kill()
        seconds.append(seconds_until_visible(place))
    print(f"{kind} killed: the next event is visible after {[round(it, 2) for it in seconds]} s")  # noqa: T201 - measured
    assert len(place.fleet.of(kind)) == 1
    assert min(seconds) < TAKEN_OVER_WITHIN
    place.check()


def in_charge(place: Place, kind: str) -> list[Member]:
    """The processes that do the work, or one of a relay's two."""
    return [it for it in place.fleet.of(kind) if it.in_charge]


def seconds_until_visible(place: Place) -> float:
    """Append an event and wait until the read models have it."""
    began = time.monotonic()
    _, position = place.add()
    until(lambda: place.is_visible(position))
    return time.monotonic() - began


def test_without_any_relay_commands_go_on_and_a_new_one_catches_up(place: Place) -> None:
    for relay in place.fleet.of("relay"):
        relay.kill()
    the_whole_of_commands_goes_on(place)
    _, position = place.add()
    assert not place.is_visible(position)
    place.fleet.start("relay")
    until(lambda: place.is_visible(position))
    place.check()


def test_a_frozen_service_answers_late_and_others_are_not_held_up(place: Place) -> None:
    frozen, other = place.fleet.one("serve training"), place.fleet.start("serve", "training")
    body = {"dataset": "iris", "model": "naive-bayes"}
    late = proxy_of(place.fleet.at(frozen, place.shell))
    frozen.freeze()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(late.post, "trainings", body=body)
        soon = proxy_of(place.fleet.at(other, place.shell)).post("trainings", body=body).body
        assert soon["state"] == "completed"
        assert not answer.done()
        frozen.thaw()
        assert answer.result(60).body["state"] == "completed"
    place.check()


def test_the_task_of_a_frozen_worker_is_taken_over_once_and_its_late_result_refused(place: Place) -> None:
    place.fleet.start_these("work training", "work training")
    wanted = {"dataset": "digits", "model": "random-forest", "settings": {"n_estimators": 600}}
    experiment = place.client.post("trainings", body=wanted, background=True).body["experiment"]
    frozen = running(place)
    frozen.freeze()
    until(lambda: state(place, experiment) == ("completed", 2), 90)
    frozen.thaw()
    until(lambda: frozen.gauges.get("tasks_running") == 0)
    names = [event["name"] for event in place.client.get("experiments", experiment).body["events"]]
    assert names.count("training-started") == 2
    assert names.count("training-completed") == 1
    place.check()


def running(place: Place) -> Member:
    """Wait for the worker that runs a task."""
    found: list[Member] = []

    def look() -> bool:
        found[:] = [it for it in place.fleet.of("work", "training") if it.gauges.get("tasks_running") == 1]
        return bool(found)

    until(look)
    return found[0]


def state(place: Place, experiment: str) -> tuple[str, int]:
    """Return a training's state and attempt."""
    body = place.client.get("trainings", experiment).body
    return body["state"], body["attempt"]
