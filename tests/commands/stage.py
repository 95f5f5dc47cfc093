"""The real application on the real embedded log, with a scripted launcher: what the tests of commands act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from adapters.embedded.database import MEMORY, Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.host.retry import Retry
from commands.application import Application
from commands.call import Answer, Call, command_id
from commands.catalog.offer_catalog import BuiltinDataset, OfferCatalog
from commands.ports import Blobs, Ports
from commands.training.request_training import RequestTraining
from commands.unit_of_work import UnitOfWork, load
from domain.errors import AutoLearnError
from domain.events import Event
from domain.experiment import Experiment
from domain.values import Role
from tests.commands.launcher import TIMEOUT, ScriptedLauncher

WORKER = "worker-1"
BUILTIN = ("iris", "wine", "breast-cancer", "digits")
CATALOG = OfferCatalog(tuple(BuiltinDataset(name, "kind", "CC0-1.0", "a garden") for name in BUILTIN))


class StoppedClock:
    """Fulfils commands.ports.Clock; moves only when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2024, 5, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, time: timedelta) -> None:
        self.time += time


class NoBlobs:
    """Stands for the blobs where no command may touch them."""

    fault: str | None = None

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"a command used blobs.{name}")


class Stage:
    """One process of the backend, and who calls it. Made on a log that others may share."""

    def __init__(self, database: Database | None = None, worker: str = WORKER, slots: int = 4) -> None:
        self.database = database or Database(MEMORY)
        self.store = SqliteEventStore(self.database)
        self.feed = SqliteFeed(self.database)
        self.launcher, self.clock = ScriptedLauncher(slots), StoppedClock()
        blobs: Blobs = NoBlobs()
        self.application = Application(Ports(self.store, blobs, self.launcher, self.clock, worker, Retry()))
        self._keys = count(1)
        self._others: list[Stage] = []

    def client(self, name: str, *roles: Role) -> Caller:
        return Caller(self, name, frozenset(roles or ("analyst",)))

    def next_key(self) -> str:
        return f"key-{next(self._keys)}"

    def offer(self) -> None:
        """Fill the catalog, as the first start does."""
        self.client("local", "sys-admin").do(CATALOG)
        self.launcher.children.clear()

    def experiment(self, name: str) -> Experiment:
        return load(self.store, Experiment, f"experiment:{name}")

    def events(self, stream: str) -> list[Event]:
        return self.store.stream(stream)

    def names(self, stream: str) -> list[str]:
        return [event.NAME.rpartition(".")[0] for event in self.events(stream)]

    def work(self) -> UnitOfWork:
        return UnitOfWork(self.store)

    @contextmanager
    def refused(self, error: type[AutoLearnError], part: str = "", **facts: Any) -> Iterator[None]:
        """Expect this refusal, and that nothing has changed: no event, no slot, no task of an experiment."""
        head, free, children = self.store.end(), self.launcher.free, self._tasks()
        with pytest.raises(error) as caught:
            yield
        assert type(caught.value) is error
        assert part in caught.value.sentence
        assert {name: caught.value.facts.get(name) for name in facts} == facts
        assert (self.store.end(), self.launcher.free, self._tasks()) == (head, free, children)

    def until(self, experiment: str, task: str, state: str) -> None:
        """Wait until a task is in a state, according to the log."""
        position = 0
        while self.experiment(experiment).tasks[task].state != state:
            position = self.store.end()[0]
            if self.experiment(experiment).tasks[task].state != state:
                assert self.feed.wait_beyond(position, TIMEOUT), f"{task} never was {state}"

    def idle(self) -> bool:
        """Wait until no task runs here and all slots are free."""
        tasks = self.application.tasks
        return all(tasks.wait(task, TIMEOUT) for task in tasks.list_running()) and self.launcher.all_free()

    def another(self, worker: str, slots: int = 4) -> Stage:
        """Set up another process of the backend on the same log."""
        self._others.append(Stage(self.database, worker, slots))
        return self._others[-1]

    def close(self) -> None:
        for other in self._others:
            other.application.close()
        self.application.close()
        assert self.application.tasks.list_running() == []
        self.database.close()

    def _tasks(self) -> int:
        return sum(child.spec.kind not in {"ingest", "describe"} for child in self.launcher.children)


@dataclass(frozen=True)
class Caller:
    """One client of a stage."""

    stage: Stage
    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)

    def call(self, key: str | None = None, digest: str = "") -> Call:
        key = key or self.stage.next_key()
        return Call(self.name, self.roles, command_id(self.name, key), f"correlation of {key}", digest)

    def do(self, command: Any, *, key: str | None = None, digest: str = "", wait: float = TIMEOUT) -> Answer:
        return self.stage.application.handle(command, self.call(key, digest), wait=wait)

    def train(self, dataset: str = "iris", model: str = "logistic-regression", **more: Any) -> str:
        """Train to the end; return the experiment."""
        answer = self.do(RequestTraining(dataset, model, **more))
        assert answer.pending is None
        return str(answer.body["experiment"])

    def begin_training(self) -> str:
        """Train on a child that never ends by itself; return the experiment."""
        self.stage.launcher.scripts["fit"] = None
        number = len(self.stage.launcher.of("fit")) + 1
        answer = self.do(RequestTraining("iris", "logistic-regression"), wait=1e-9)
        self.stage.launcher.child("fit", number)
        return str(answer.body["experiment"])
