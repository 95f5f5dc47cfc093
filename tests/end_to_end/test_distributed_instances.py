"""Many processes of a kind: each task is done once, whoever dies; a call counts once, whichever instance it meets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from autolearn.answers import Response
from autolearn.client import BackendClient
from domain.experiment_events import TrainingCompleted, TrainingRequested, TrainingStarted
from domain.search_events import TrialStarted
from tests.end_to_end.fleet import Fleet, Member, fleet_on, proxy_of, until
from tests.end_to_end.place import Shell
from tests.end_to_end.test_kill import children

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SHORT = {"dataset": "iris", "model": "naive-bayes"}
SECONDS_LONG = {"dataset": "digits", "model": "random-forest", "settings": {"n_estimators": 600}}
LONG = {"dataset": "wine", "model": "random-forest", "settings": {"n_estimators": 30_000}}
SEARCH = {
    "dataset": "digits",
    "models": ["random-forest"],
    "space": {"n_estimators": 60, "max_depth": [2, 3, 4, 5, 6, 7, 8, 9]},
    "cv": 3,
    "seed": 7,
}
TAKEN_OVER_SECONDS = 90.0
PAUSE_SECONDS = 0.1  # between the calls of a load: a session holds 500 experiments
PAIRS = ("relay", "project", "work training", *(f"serve {it}" for it in ("catalog", "training", "session", "storage")))


@dataclass
class Place:
    """An installation and its sys-admin."""

    fleet: Fleet
    shell: Shell
    mongo: Mongo
    client: BackendClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = proxy_of(self.shell)

    def queue(self, wanted: dict[str, Any]) -> str:
        """Request a training without waiting for it."""
        return str(self.client.post("trainings", body=wanted, background=True).body["experiment"])

    def at(self, member: Member) -> BackendClient:
        """The Remote Proxy of one instance, past nginx."""
        return proxy_of(self.fleet.at(member, self.shell))

    def state(self, experiment: str) -> tuple[str, int]:
        """Return a training's state and attempt."""
        body = self.client.get("trainings", experiment).body
        return body["state"], body["attempt"]

    def await_state(self, experiment: str, state: str, attempt: int) -> None:
        """Wait until a training stands so."""
        until(lambda: self.state(experiment) == (state, attempt), TAKEN_OVER_SECONDS)

    def events(self, kind: type[Any]) -> list[Any]:
        """Return all events of a kind that the log has."""
        return [it.event for it in MongoFeed(self.mongo).after(0, 10**6) if isinstance(it.event, kind)]

    def attempts(self) -> list[tuple[str, int]]:
        """Return what was started: experiment and attempt."""
        return [(it.task, it.attempt) for it in self.events(TrainingStarted)]


@pytest.fixture(scope="module")
def place(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Two processes of each kind that these tests need, one task at a time in each."""
    with fleet_on(tmp_path_factory.mktemp("instances"), kafka, mongodb) as fleet:
        fleet.more["AUTOLEARN_SLOTS"] = "1"
        fleet.start_these("work catalog", *PAIRS, *PAIRS)
        mongo = Mongo(mongodb, fleet.database)
        yield Place(fleet, fleet.client("ana", "analyst", "sys-admin"), mongo)
        mongo.close()


def test_queued_trainings_are_each_done_once(place: Place) -> None:
    queued = {place.queue(SHORT) for _ in range(20)}
    until(lambda: queued <= {it.task for it in place.events(TrainingCompleted)}, TAKEN_OVER_SECONDS)
    assert Counter(it for it in place.attempts() if it[0] in queued) == Counter((it, 1) for it in queued)
    assert Counter(it.task for it in place.events(TrainingCompleted) if it.task in queued) == Counter(queued)
    assert len({it.worker for it in place.events(TrainingStarted) if it.task in queued}) > 1
    assert len(place.client.post("session", "commit").body["experiments"]) == 20


def test_the_same_key_at_another_instance_gets_the_one_answer(place: Place) -> None:
    here, there = map(place.at, place.fleet.of("serve", "training"))
    first, again = trained(here, SHORT, "once"), trained(there, SHORT, "once")
    assert (first.status, first.body["state"]) == (201, "completed")
    assert (again.status, again.body, again.head) == (201, first.body, first.head)
    assert trained(there, {**SHORT, "seed": 1}, "once").status == 422
    with ThreadPoolExecutor(2) as pool:
        racing = list(pool.map(lambda client: trained(client, SHORT, "race"), (here, there)))
    assert len({it.body["experiment"] for it in racing}) == 1


def trained(client: BackendClient, wanted: dict[str, Any], key: str) -> Response:
    """Request a training under an Idempotency-Key."""
    return client.exchange(client.call("POST", "/trainings", key), json.dumps(wanted).encode())


def test_the_tasks_of_a_killed_worker_get_their_next_attempt_by_another(place: Place) -> None:
    experiment = place.queue(SECONDS_LONG)
    until(lambda: at_work(place))
    at_work(place)[0].kill()
    place.await_state(experiment, "completed", 2)
    workers = [it.worker for it in place.events(TrainingStarted) if it.task == experiment]
    assert len(set(workers)) == 2
    place.fleet.start("work", "training")


def test_a_search_runs_on_all_workers_and_finds_the_same_without_one(place: Place) -> None:
    undisturbed = searched(place, place.client.post("searches", body=SEARCH).body["search"])
    name = place.client.post("searches", body=SEARCH).body["search"]
    until(lambda: found(place, name)["completed"] > 1 and at_work(place))
    at_work(place)[0].kill()
    disturbed = searched(place, name)
    assert disturbed == undisturbed
    assert len({it.worker for it in place.events(TrialStarted)}) > 1
    assert place.client.post("session", "discard").status == 200
    place.fleet.start("work", "training")


def searched(place: Place, name: str) -> list[dict[str, Any]]:
    """Return what a search found once it has ended, without what a repeat may change."""
    until(lambda: found(place, name)["state"] == "completed", TAKEN_OVER_SECONDS)
    return [
        {key: value for key, value in trial.items() if key not in ("seconds", "attempt")}
        for trial in found(place, name)["trials"]
    ]


def found(place: Place, name: str) -> dict[str, Any]:
    """Return a search as the read models have it."""
    return dict(place.client.get("searches", name).body)


def at_work(place: Place) -> list[Member]:
    """The workers that run a task now."""
    return [it for it in place.fleet.of("work", "training") if it.gauges.get("tasks_running")]


def test_a_call_whose_service_is_killed_is_answered_by_another(place: Place) -> None:
    known = len(place.attempts())
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(place.shell, "train", "digits", "random-forest", "-p", "n_estimators=600")
        until(lambda: len(place.attempts()) > known)
        busy_service(place).kill()
        answered = call.result().json
    assert (answered["state"], answered["attempt"]) == ("completed", 2)
    assert [it for it in place.attempts() if it[0] == answered["experiment"]] == [
        (answered["experiment"], 1),
        (answered["experiment"], 2),
    ]
    place.fleet.start("serve", "training")
    assert place.shell("verify").json["unanswered"] == []


def busy_service(place: Place) -> Member:
    """Wait for the service that has started a child for a task, and return it."""
    found: list[Member] = []

    def look() -> bool:
        by_children = sorted(place.fleet.of("serve", "training"), key=lambda it: len(children(it.process.pid)))
        found[:] = by_children[-1:]
        counts = [len(children(it.process.pid)) for it in by_children]
        return counts[-1] > counts[0]

    until(look)
    return found[0]


def test_unanswered_calls_are_told_from_calls_in_flight_and_cancelling_reaches_every_instance(place: Place) -> None:
    lives, dies = place.fleet.of("serve", "training")
    cancelling = [place.at(place.fleet.start("serve", "training")) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        flying, long = begin(place, pool, lives)
        lost, _ = begin(place, pool, dies)
        dies.kill()
        verified = place.shell("verify").json
        assert verified["ok"], verified
        assert len(verified["unanswered"]) == 1
        requested = {it.task: it.metadata.correlation for it in place.events(TrainingRequested)}
        assert verified["unanswered"][0]["correlation"] == requested[lost]
        place.await_state(lost, "started", 2)
        until(lambda: at_work(place))
        for client, experiment in zip(cancelling, (lost, flying), strict=True):
            client.delete("trainings", experiment)
        assert long.result(60).body["state"] == "cancelled"
    until(lambda: not at_work(place))
    assert place.shell("verify").json["ok"]


def begin(place: Place, pool: ThreadPoolExecutor, member: Member) -> tuple[str, Any]:
    """Call for a long training at one instance; return the experiment, once it is started, and the call."""
    known = set(place.attempts())
    client = place.at(member)
    call = pool.submit(client.post, "trainings", body=LONG)
    until(lambda: set(place.attempts()) - known)
    return (set(place.attempts()) - known).pop()[0], call


class Load:
    """Calls of one kind, one after the other, until it is left; whatever fails fails the test."""

    def __init__(self, place: Place, call: Any) -> None:
        self.client, self.call = proxy_of(place.shell), call
        self.answers: list[Response] = []
        self.stopped = Event()

    def go_on(self) -> None:
        """Call, again and again."""
        while not self.stopped.wait(PAUSE_SECONDS):
            self.answers.append(self.call(self.client).raise_for_status())


def test_a_rolling_restart_fails_no_call_and_loses_and_doubles_no_command(place: Place) -> None:
    before, verified = {it.task for it in place.events(TrainingRequested)}, place.shell("verify").json
    unanswered, lost = verified["unanswered"], verified["lost_calls"]
    loads = [Load(place, it) for it in (train, look_at_the_session, look_at_the_catalog)]
    with ThreadPoolExecutor(len(loads)) as pool:
        running = [pool.submit(load.go_on) for load in loads]
        try:
            for old in [it for it in place.fleet.members if it.process.poll() is None]:
                wanted = [len(load.answers) + 1 for load in loads]
                assert old.stop() == 0, old.said
                place.fleet.start(*old.command)
                await_answers(loads, wanted, running)
        finally:
            for load in loads:
                load.stopped.set()
        for it in running:
            it.result(120)
    acknowledged = [answer.body["experiment"] for answer in loads[0].answers]
    assert len(acknowledged) == len(set(acknowledged))
    assert {it.task for it in place.events(TrainingRequested)} - before == set(acknowledged)
    until(lambda: set(acknowledged) <= {it.task for it in place.events(TrainingCompleted)}, TAKEN_OVER_SECONDS)
    verified = place.shell("verify", "--against", "kafka").json
    assert (verified["ok"], verified["unanswered"]) == (True, []), verified
    assert verified["lost_calls"] == lost + len(unanswered), "`serve storage` gave them their records at its start"


def await_answers(loads: list[Load], wanted: list[int], running: list[Future[None]]) -> None:
    """Wait until each load has so many answers; raises what ended one."""

    def have_come() -> bool:
        for it in running:
            if it.done():
                it.result()
        return all(len(load.answers) >= number for load, number in zip(loads, wanted, strict=True))

    until(have_come)


def train(client: BackendClient) -> Response:
    """Train, and wait for it as long as the instance lives."""
    return client.exchange(client.call("POST", "/trainings"), json.dumps(SHORT).encode())


def look_at_the_session(client: BackendClient) -> Response:
    """Ask one service."""
    return client.exchange(client.call("GET", "/session"))


def look_at_the_catalog(client: BackendClient) -> Response:
    """Ask another."""
    return client.exchange(client.call("GET", "/catalog/models"))
