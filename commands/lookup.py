"""Finds what a caller names: experiments, catalog entries, the open session. What it may not see is not found."""

from __future__ import annotations

from collections.abc import Iterable

from commands.call import Call
from commands.ports import EventStore, VersionConflict
from commands.unit_of_work import UnitOfWork, load
from domain.client import Client
from domain.dataset import Dataset, DatasetContent, retired_error
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from domain.experiment import Experiment
from domain.lookup import find_last_number, may_see, nearest_names, require_single_match
from domain.offer import Offer
from domain.prediction import Prediction, PredictionMade
from domain.search import Search
from domain.session import Session
from domain.values import (
    DatasetRef,
    LearningTask,
    check_id_prefix,
    experiment_stream,
    owner_of_task,
    search_stream,
    session_stream,
)

MOST_CANDIDATES = 200
MOST_NAMES = 500
MOST_CLIENTS = 1000


def find_experiment(work: UnitOfWork, call: Call, given: str) -> Experiment:
    """Return the only visible experiment whose id has this prefix."""
    streams = work.store.streams(experiment_stream(check_id_prefix(given)), MOST_CANDIDATES)
    found = (work.get(Experiment, stream) for stream in streams)
    visible = {it.name: it for it in found if it.exists and may_see(call.client, it.training.owner, it.standing)}
    if not visible:
        session = current_session(work, call.client)
        raise NotFoundError.for_name(
            "experiment", given, nearest_names(given, session.experiments if session.is_open else ())
        )
    return visible[require_single_match(given, [*visible])]


def find_search(work: UnitOfWork, call: Call, given: str) -> Search:
    """Return the caller's only search whose id has this prefix."""
    streams = work.store.streams(search_stream(check_id_prefix(given)), MOST_CANDIDATES)
    own = {it.name: it for it in (work.get(Search, stream) for stream in streams) if it.owner == call.client}
    if not own:
        session = current_session(work, call.client)
        raise NotFoundError.for_name("search", given, nearest_names(given, session.searches if session.is_open else ()))
    return own[require_single_match(given, [*own], "searches")]


def find_own_experiment(work: UnitOfWork, call: Call, given: str) -> Experiment:
    """Return an experiment that the caller may change, as its owner or as a sys-admin."""
    experiment = find_experiment(work, call, given)
    if experiment.training.owner != call.client and not call.is_sysadmin:
        raise ForbiddenError(f"Experiment {experiment.name} can be changed by its owner or by a sys-admin.")
    return experiment


def find_prediction(work: UnitOfWork, call: Call, given: str) -> tuple[PredictionMade, Experiment]:
    """Return the only prediction whose id has this prefix, of an experiment that is visible; and that experiment."""
    found = {}
    for stream in work.store.streams(f"prediction:{check_id_prefix(given)}", MOST_CANDIDATES):
        made = work.get(Prediction, stream).event
        experiment = work.get(Experiment, experiment_stream(made.experiment))
        if may_see(call.client, experiment.training.owner, experiment.standing):
            found[stream.partition(":")[2]] = made, experiment
    if not found:
        raise NotFoundError.for_name("prediction", given, listed_by="autolearn predictions")
    return found[require_single_match(given, [*found], "predictions")]


def find_task(work: UnitOfWork, call: Call, given: str) -> tuple[Experiment, str]:
    """Return an experiment and one of its tasks, from the task's id or a prefix of the experiment's."""
    experiment = find_experiment(work, call, owner_of_task(given))
    task = experiment.name if experiment.name.startswith(given) else given
    if task not in experiment.tasks:
        raise NotFoundError.for_name("evaluation or reproduction", given, nearest_names(given, experiment.tasks))
    return experiment, task


def newest_experiment(work: UnitOfWork, call: Call) -> Experiment:
    """Return the newest experiment of the caller's open session whose training has not failed, nor was cancelled.

    Where all have, it is the newest: its refusal says what became of it.
    """
    session = current_session(work, call.client)
    if not session.is_open or not session.experiments:
        raise NotFoundError("There is no experiment in your session: name one, or train first.", nearest=[])
    newest_first = [experiment_stream(name) for name in reversed(session.experiments)]
    found = (work.get(Experiment, stream) for stream in newest_first)
    not_failed = (it for it in found if it.training_state not in ("failed", "cancelled"))
    return next(not_failed, None) or work.get(Experiment, newest_first[0])


def current_session(work: UnitOfWork, client: str) -> Session:
    """Return the client's last session, or blank number 1; its number comes from the log alone.

    Only the last one can be open. The first look at a client with 1,000 sessions takes about twenty point reads.
    """
    known = work.last_sessions.get(client, 1)
    session = work.get(Session, session_stream(client, known))
    if session.is_open or session.state == "blank":
        return session

    last = find_last_number(lambda number: work.store.version(session_stream(client, number)) > 0, known)
    work.last_sessions[client] = last
    return work.get(Session, session_stream(client, last))


def open_session(work: UnitOfWork, client: str) -> Session:
    """Return the client's open session; open the next one if there is none."""
    session = current_session(work, client)
    if session.is_open:
        return session
    number = int(session.id.rpartition(":")[2])
    following = session if session.state == "blank" else work.get(Session, session_stream(client, number + 1))
    if following.state == "blank":
        following.open(client)
    elif not following.is_open:
        raise VersionConflict(f"{following.id} was opened and closed meanwhile.")
    return following  # open: somebody else's first training was quicker


def require_open_session(work: UnitOfWork, client: str) -> Session:
    session = current_session(work, client)
    if not session.is_open:
        raise ConflictError("There is no open session: the next training opens one.")
    return session


def load_clients(store: EventStore, at: int | None = None) -> list[Client]:
    """Return the clients as of a position: the first thousand by name."""
    clients = (load(store, Client, stream, at) for stream in store.streams("client:", MOST_CLIENTS))
    return [client for client in clients if client.exists]


def find_dataset(work: UnitOfWork, name: str) -> Dataset:
    dataset = work.get(Dataset, f"dataset:{name}")
    if dataset.retired:
        raise retired_error(name)
    if not dataset.is_offered:
        raise _not_offered_error("data set", "datasets", name, _offered_names(work.store, Dataset, "dataset"))
    return dataset


def find_version(work: UnitOfWork, given: str) -> tuple[DatasetRef, DatasetContent]:
    """Return the version of a data set that is named (`penguins@1`), or else (`penguins`) its latest."""
    name, _, version = given.partition("@")
    dataset = find_dataset(work, name)
    ref = dataset.ref(version)
    return ref, dataset.versions[ref.version]


def find_version_with(
    work: UnitOfWork, given: str, target: str, columns: Iterable[str]
) -> tuple[DatasetRef, DatasetContent]:
    """Return the named version of a data set, which must have what a model predicts and what it learned from."""
    ref, content = find_version(work, given)
    if target not in content.columns:
        raise BadInputError(f"Data set {given!r} has no column {target!r}, which the model predicts.", missing=[target])
    missing = sorted(set(columns) - set(content.columns))
    if missing:
        what = f"lacks columns that the model was trained on: {', '.join(missing[:10])}"
        raise BadInputError(f"Data set {given!r} {what}.", missing=missing)
    return ref, content


def find_offer(work: UnitOfWork, kind: str, name: str) -> Offer:
    offer = work.get(Offer, f"{kind}:{name}")
    if not offer.is_offered:
        raise _not_offered_error(kind, f"{kind}s", name, _offered_names(work.store, Offer, kind))
    return offer


def refuse_other_task(work: UnitOfWork, offer: Offer, task: LearningTask, what: str, otherwise: str = "") -> None:
    """Refuse a model or measure that is not of a learning task; say what is wrong, and name those that are of it."""
    if task in offer.require_description().tasks:
        return
    right = offers_of_task(work, offer.kind, task)
    raise BadInputError(f"{what} Choose one of {', '.join(right)}{otherwise}.", allowed=right)


def offers_of_task(work: UnitOfWork, kind: str, task: LearningTask) -> list[str]:
    """Return the names of the models, or measures, on offer that are of a learning task."""
    entries = (load(work.store, Offer, stream) for stream in work.store.streams(f"{kind}:", MOST_NAMES))
    return [it.name for it in entries if it.is_offered and task in it.require_description().tasks]


def _not_offered_error(what: str, part: str, name: str, names: list[str]) -> NotFoundError:
    return NotFoundError.for_name(what, name, nearest_names(name, names), f"autolearn catalog {part}")


def _offered_names(store: EventStore, kind: type[Offer | Dataset], prefix: str) -> list[str]:
    entries = (load(store, kind, stream) for stream in store.streams(f"{prefix}:", MOST_NAMES))
    return [entry.name for entry in entries if entry.is_offered]
