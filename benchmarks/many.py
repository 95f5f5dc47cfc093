"""A log of many committed experiments, made by the aggregates themselves: what long use would have left."""

from __future__ import annotations

import random
from base64 import b32encode
from hashlib import sha256
from uuid import UUID, uuid5

from commands.ports import AppendHeader, EventStore
from domain.events import Aggregate, Event, Metadata
from domain.experiment import Experiment
from domain.session import Session
from domain.values import (
    BlobRef,
    DatasetRef,
    MeasureSpec,
    ModelRef,
    Split,
    SplitRequest,
    Training,
    experiment_stream,
    session_id,
    session_stream,
)

OF_A_SESSION = 100
NAMESPACE = UUID("5f0c5d4e-7d0f-4f7e-9a53-5ac7a7c1a9b1")
OWNER, WORKER = "ana", "benchmark"
MODELS = ("logistic-regression", "decision-tree", "random-forest", "svm", "naive-bayes")
SETTINGS = {"penalty": "l2", "solver": "lbfgs", "max_iter": 100, "tol": 0.0001, "fit_intercept": True}
MEASURES = (MeasureSpec(name="precision", average="macro"), MeasureSpec(name="recall", average="macro"))
DATASET = DatasetRef(name="iris", version=1, sha256=sha256(b"iris").hexdigest())


def training(number: int) -> Training:
    """Return what a fit might have left."""
    blob = BlobRef(sha256=sha256(str(number).encode()).hexdigest(), size=20_000)
    split = Split(train_rows=112, test_rows=38, sha256=blob.sha256)
    learned = {"coef": [[0.1, 0.2, 0.3, 0.4]] * 3, "intercept": [0.1, 0.2, 0.3]}
    provenance = {"python": "3.11", "scikit-learn": "1.9", "cpu": "made up"}
    return Training(
        learned=learned, model_blob=blob, learned_blob=blob, split=split, provenance=provenance, fit_seconds=0.01
    )


def request(it: Experiment, session: str, number: int) -> None:
    """Ask for a training whose model and settings vary with the number."""
    it.request_training(
        owner=OWNER,
        session=session,
        dataset=DATASET,
        target="species",
        columns=None,
        model=ModelRef(name=MODELS[number % len(MODELS)], version="1.9", distribution="scikit-learn"),
        settings={"C": (1, 10, 100)[number % 3], **SETTINGS},
        preparation=2,
        seed=number,
        test_size=0.25,
        split=SplitRequest(),
        memory=None,
        deadline=None,
    )


def experiment(number: int, session: str, chance: random.Random) -> Experiment:
    """Return an experiment that is trained and evaluated; its settings and measures vary."""
    name = b32encode(sha256(b"experiment %d" % number).digest())[:16].decode().lower()
    it = Experiment.create_blank(experiment_stream(name))
    request(it, session, number)
    it.start(it.name, 1, WORKER)
    it.complete_training(1, WORKER, training(number))
    task = it.request_evaluation(MEASURES, None)
    it.start(task, 1, WORKER)
    it.complete_evaluation(task, 1, WORKER, {measure.identity: chance.random() for measure in MEASURES})
    return it


def append(store: EventStore, name: str, *aggregates: Aggregate) -> None:
    """Append what these aggregates have pending, as one command."""
    command = uuid5(NAMESPACE, name)
    metadata = Metadata(actor=OWNER, correlation=str(command), causation=str(command))
    pending = [event for aggregate in aggregates for event in aggregate.collect_events()]
    events = [event for event in pending if isinstance(event, Event)]
    store.append(events, AppendHeader(command, uuid5(command, "0"), metadata, sha256(name.encode()).hexdigest()))


def fill(store: EventStore, experiments: range) -> None:
    """Append committed experiments of these numbers, in sessions of 100."""
    chance = random.Random(experiments.start)  # noqa: S311 - made-up measures
    for begin in range(experiments.start, experiments.stop, OF_A_SESSION):
        session = Session.create_blank(session_stream(OWNER, begin // OF_A_SESSION + 1))
        session.open(OWNER)
        numbers = range(begin, min(begin + OF_A_SESSION, experiments.stop))
        held = [experiment(number, session_id(session.id), chance) for number in numbers]
        for it in held:
            session.add(it.name)
        append(store, f"{session.id} work", session, *held)
        session.commit([it.name for it in held], None)
        for it in held:
            it.commit(session_id(session.id))
        append(store, f"{session.id} commit", session, *held)
