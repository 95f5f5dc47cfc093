"""Random lives: whatever clients, workers and sys-admins try in whatever order, refused attempts leaving no event."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from commands.unit_of_work import load
from domain.errors import AutoLearnError
from domain.search import Search
from domain.values import MeasureSpec
from tests.domain.search_facts import result as found
from tests.domain.search_facts import trial
from tests.projections.world import WORKER, World, result

CLIENTS = ("ana", "ben")
LETTERS = "abcdefghijklmnop"
MEASURES = (
    {"precision:macro": 0.9},
    {"precision:macro": float("nan"), "recall:macro": 0.5},
    {"confusion-matrix": [[1, 2], [3, 4]]},
)
SETTINGS = ({"C": 1}, {"C": None, "flag": True}, {"C": "auto", "gamma": 10**400}, {"C": 0.5, "layers": [1]})

Step = tuple[int, int, int]


def life_of(seed: int, length: int) -> list[Step]:
    """Draw a life evenly: hypothesis would try the first acts on the first experiment most of the time."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return [(chance.randrange(len(ACTS)), chance.randrange(len(LETTERS)), chance.randrange(8)) for _ in range(length)]


lives = st.builds(life_of, st.integers(0, 10**6), st.integers(0, 200) | st.just(200))


def name_of(index: int) -> str:
    """Name one of a few experiments."""
    return LETTERS[index] * 16


def task_of(world: World, index: int, kind: int) -> str:
    """Name one of the experiment's tasks."""
    known = list(world.experiment(name_of(index)).tasks)
    return known[kind % len(known)] if known else name_of(index)


def _start(world: World, a: int, b: int) -> None:
    task = task_of(world, a, b)
    attempt = world.experiment(name_of(a)).tasks[task].attempt + 1
    world.decide(WORKER, name_of(a), "start", task, attempt, WORKER)


def _complete(world: World, a: int, b: int) -> None:
    experiment = world.experiment(name_of(a))
    task = experiment.tasks[task_of(world, a, b)]
    if task.kind == "training":
        world.decide(WORKER, name_of(a), "complete_training", task.attempt, WORKER, result())
    elif task.kind == "evaluation":
        world.decide(WORKER, name_of(a), "complete_evaluation", task.id, task.attempt, WORKER, MEASURES[b % 3])
    else:
        world.decide(WORKER, name_of(a), "complete_reproduction", task.id, task.attempt, WORKER, "different", ["C"])


def _fail(world: World, a: int, b: int) -> None:
    task = task_of(world, a, b)
    attempt = world.experiment(name_of(a)).tasks[task].attempt
    world.decide(WORKER, name_of(a), "fail", task, attempt, "crashed", "It died.")


def _commit(world: World, a: int, b: int) -> None:
    held = world.session(CLIENTS[a % 2]).experiments
    done = [name for name in held if world.experiment(name).training_state == "completed"]
    world.commit(CLIENTS[a % 2], done[: b + 1])


def _evaluate(world: World, a: int, _: int) -> None:
    world.decide("ana", name_of(a), "request_evaluation", [MeasureSpec(name="precision", average="macro")], None)


def _search(world: World, a: int, b: int) -> None:
    world.search(CLIENTS[b % 2], name_of(a), [trial(float(place)) for place in range(b % 4)])


def _go_on_searching(world: World, a: int, b: int) -> None:
    """Start a task of a search, or end it; settle the search where that is due."""
    name = name_of(a)
    search = load(world.store, Search, f"search:{name}")
    task = [*search.tasks.values()][b % max(len(search.tasks), 1)]
    facts = (task.id, task.attempt, WORKER)
    if search.is_settled:
        world.decide_search(name, "complete", [])
    elif task.state == "requested":
        world.decide_search(name, "start", task.id, 1, WORKER)
    elif b % 3 == 0:
        world.decide_search(name, "fail", task.id, task.attempt, "error", "It broke.")
    elif task.kind == "trial":
        world.decide_search(name, "complete_trial", *facts, found(None if b % 3 == 1 else b / 10))
    else:
        world.decide_search(name, "complete_proposal", *facts, [trial(1.0)], is_last=b % 2 == 0)


ACTS: tuple[Callable[[World, int, int], Any], ...] = (
    lambda world, a, b: world.request(CLIENTS[b % 2], name_of(a), start=bool(b % 3), settings=SETTINGS[b % 4]),
    lambda world, a, b: world.train(CLIENTS[b % 2], name_of(a), settings=SETTINGS[b % 4]),
    _start,
    _start,
    _complete,
    _complete,
    _complete,
    _fail,
    lambda world, a, b: world.decide("ana", name_of(a), "cancel", task_of(world, a, b)),
    _evaluate,
    lambda world, a, b: world.evaluate("ben", name_of(a), MEASURES[b % 3]),
    lambda world, a, _: world.decide("ben", name_of(a), "request_reproduction"),
    _commit,
    _commit,
    lambda world, a, b: None if b else world.discard(CLIENTS[a % 2]),
    lambda world, a, b: world.decide("ana", name_of(a), "annotate", f"remark {b}", "because"),
    lambda world, a, _: world.decide("root", name_of(a), "withdraw", "wrong"),
    lambda world, a, _: world.decide("root", name_of(a), "restore", "right"),
    lambda world, a, b: world.predict(CLIENTS[b % 2], name_of(a), f"{LETTERS[a]}{len(world.commits):015}", rows=b + 1),
    _search,
    _go_on_searching,
    _go_on_searching,
    _go_on_searching,
    lambda world, a, b: None if b else world.decide_search(name_of(a), "cancel_all"),
    lambda world, a, b: world.register(f"data-{a % 3}", LETTERS[b % 3]) if b % 2 else world.retire(f"data-{a % 3}"),
)


def live(world: World, life: list[Step], *, fold_now_and_then: bool = True) -> None:
    """Try all steps; the read models follow now and then, so that batches end anywhere."""
    for number, (act, a, b) in enumerate(life):
        with contextlib.suppress(AutoLearnError, LookupError):
            ACTS[act](world, a, b)
        if fold_now_and_then and (number + a) % 4 == 0:
            world.runner.step()
    world.catch_up()
