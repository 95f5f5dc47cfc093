"""What commands answer: the JSON objects that scripts rely on, computed from the log as of a position."""

from __future__ import annotations

from typing import Any

from commands.call import Answer
from commands.context import CommandContext
from commands.lookup import load_clients
from commands.ports import EventStore, StoredAppend
from commands.unit_of_work import load
from domain.client import Client
from domain.experiment import Experiment
from domain.search import Search
from domain.task import Task
from domain.task_events import TaskRequested
from domain.task_status import task_status
from domain.values import NOT_SPLIT, NOTHING_MEASURED, stream_of_task


def status_of(experiment: Experiment) -> dict[str, Any]:
    request, result, task = experiment.training, experiment.result, experiment.tasks[experiment.name]
    facts = {
        "experiment": experiment.name,
        "state": task.state,
        "standing": experiment.standing,
        "session": request.session,
        "search": request.search,
        "dataset": request.dataset.model_dump(),
        "target": request.target,
        "columns": None if request.columns is None else list(request.columns),
        "model": {"name": request.model.name, "version": request.model.version},
        "settings": request.settings,
        "seed": request.seed,
        "test_size": request.test_size,
        "split": {"request": str(request.split)} | (result.split.model_dump() if result else NOT_SPLIT),
        "memory": request.memory,
        "deadline": request.deadline,
        "attempt": task.attempt,
        "learned": result.learned if result else None,
        "features": result.features if result else None,
        "fit_seconds": result.fit_seconds if result else None,
        "error": task.error,
        **experiment.measured,
        "withdrawn": experiment.withdrawn,
    }
    return task_status("training", facts)


def status_of_evaluation(experiment: Experiment, task: Task) -> dict[str, Any]:
    """Return the object of `evaluate`."""
    on = task.request.on if task.request else None
    facts = {
        "evaluation": task.id,
        "experiment": experiment.name,
        "state": task.state,
        **(task.outcome or NOTHING_MEASURED),
        "on": on.model_dump() if on else None,
        "error": task.error,
    }
    return task_status("evaluation", facts)


def status_of_reproduction(experiment: Experiment, task: Task) -> dict[str, Any]:
    """Return the object of `reproduce`."""
    outcome = task.outcome or {"verdict": None, "differences": []}
    facts = {
        "reproduction": task.id,
        "experiment": experiment.name,
        "state": task.state,
        "verdict": outcome["verdict"],
        "differences": outcome["differences"],
        "error": task.error,
    }
    return task_status("reproduction", facts)


def status_of_task(experiment: Experiment, task: str) -> dict[str, Any]:
    it = experiment.tasks[task]
    if it.kind == "training":
        return status_of(experiment)
    return status_of_evaluation(experiment, it) if it.kind == "evaluation" else status_of_reproduction(experiment, it)


def answer_requested(_: object, first: StoredAppend, context: CommandContext) -> Answer:
    """Wait for the requested task, and answer as of the command's last append, or as of now where it ended later."""
    task = event_of(first, TaskRequested).task
    context.tasks.wait(task, context.wait)
    stream = stream_of_task(task)
    last = context.last_append(first)
    experiment = load(context.ports.store, Experiment, stream, last.position)
    position, head = last.position, last.hash
    if experiment.tasks[task].is_unfinished:
        position, head = context.ports.store.end()
        experiment = load(context.ports.store, Experiment, stream, position)
    pending = task if experiment.tasks[task].is_unfinished else None
    return Answer(status_of_task(experiment, task) | {"position": position}, position, head.hex(), pending)


def answer_search(_: object, appended: StoredAppend, context: CommandContext) -> Answer:
    """Answer with a search as of the append, at once: it goes on by itself."""
    stream = next(it.originator_id for it in appended.events if it.originator_id.startswith("search:"))
    search = load(context.ports.store, Search, stream, appended.position)
    return answer_at(appended, task_status("search", search.asked.facts | search.progress))


def answer_at(appended: StoredAppend, body: dict[str, Any]) -> Answer:
    return Answer(body | {"position": appended.position}, appended.position, appended.hash.hex())


def answer_experiment(_: object, appended: StoredAppend, context: CommandContext) -> Answer:
    """Answer with the experiment as of the append."""
    experiment = load(context.ports.store, Experiment, appended.events[0].originator_id, appended.position)
    return answer_at(appended, status_of(experiment))


def answer_client(_: object, appended: StoredAppend, context: CommandContext) -> Answer:
    """Answer with the client as of the append, without its key, which is not in the log."""
    client = load(context.ports.store, Client, appended.events[0].originator_id, appended.position)
    return answer_at(appended, client_body(client))


def client_body(client: Client) -> dict[str, Any]:
    """Return a client as answers show it."""
    facts = {"roles": list(client.roles), "generation": client.key_generation, "revoked": client.revoked}
    return {"client": client.name, **facts}


def clients_body(store: EventStore, at: int | None = None) -> dict[str, Any]:
    """Return the clients as of a position, from the log itself: what counts for a call counts here."""
    position = store.end()[0] if at is None else at
    return {"clients": [client_body(it) for it in load_clients(store, position)], "position": position}


def answer_unchanged(context: CommandContext, body: dict[str, Any]) -> Answer:
    """Answer a command that had nothing to change."""
    position, head = context.ports.store.end()
    return Answer(body | {"position": position}, position, head.hex())


def event_of(appended: StoredAppend, kind: type[Any]) -> Any:
    return next(event for event in appended.events if isinstance(event, kind))
