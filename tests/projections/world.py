"""A small world that lives by the rules: aggregates decide, a real log in memory keeps what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from adapters.audit_log.chain import chain_faults as audit_chain_faults
from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.history import SqliteHistory
from adapters.files.spill_table import SqliteSpillTable
from adapters.log.chain import chain_faults
from adapters.log.events import decode
from commands.ports import AppendHeader, StoredAppend
from commands.unit_of_work import load
from domain.dataset import Dataset, DatasetContent, ProfileSummary
from domain.events import Aggregate, Metadata
from domain.experiment import Experiment
from domain.offer import Description, Offer
from domain.prediction import Prediction, PredictionSummary
from domain.search import Search
from domain.session import Session
from domain.values import (
    NO_NOTES,
    BlobRef,
    DatasetRef,
    EvaluationNotes,
    MeasureSpec,
    ModelRef,
    Split,
    SplitRequest,
    Training,
    session_id,
)
from projections.runner import ProjectionRunner
from projections.verification.stores import InspectedStores
from tests.domain.search_facts import ASKED

WORKER = "worker-1"
SETTINGS: dict[str, Any] = {"C": 1.0, "max_depth": None, "fit_intercept": True, "layers": [3, 2]}
SCIKIT = {"distribution": "scikit-learn", "version": "1.9.1"}
AVERAGE = {"average": {"type": "choice", "choices": ["macro", "micro"], "default": "macro"}}


def content(digit: str = "a") -> DatasetContent:
    """Make up what ingest found."""
    columns = {"petal": "number", "species": "category"}
    blob = BlobRef(sha256=digit * 64, size=10)
    profile = ProfileSummary(blob=BlobRef(sha256="8" * 64, size=10))
    return DatasetContent(blob=blob, rows=150, columns=columns, target="species", classes=("x", "y"), profile=profile)


def description(settings: dict[str, Any], digest: str = "1") -> Description:
    """Make up what a describe-task read."""
    return Description(**SCIKIT, description="It learns.", settings=settings, digest=digest)


def result(digit: str = "b") -> Training:
    """Make up what a fit left."""
    return Training(
        learned={"coefficients": [1.0, float("nan")]},
        model_blob=BlobRef(sha256=digit * 64, size=10),
        learned_blob=BlobRef(sha256="c" * 64, size=20),
        split=Split(train_rows=112, test_rows=38, sha256="d" * 64),
        provenance={"python": "3.11"},
        fit_seconds=0.01,
    )


def summary(**facts: Any) -> PredictionSummary:
    """Make up what a prediction was in sum."""
    blob = BlobRef(sha256="e" * 64, size=30)
    counts: dict[str, Any] = {"rows": 1, "missing": 0, "unseen": 0, "beyond": 0, "classes": {"x": 1}}
    asked = {"format": "csv", "probabilities": False, "input": blob, "output": blob, "seconds": 0.5}
    return PredictionSummary(**asked | counts | facts)


class World:
    """The log, the read models and the runner between them; methods are what clients and workers do."""

    def __init__(self, log: Database | None = None, read: ReadDatabase | None = None) -> None:
        self.log = log or Database(":memory:")
        self.read = read or ReadDatabase(":memory:")
        self.store = SqliteEventStore(self.log)
        self.feed = SqliteFeed(self.log)
        self.documents = SqliteDocuments(self.read)
        self.history = SqliteHistory(self.read)
        self.runner = ProjectionRunner(self.feed, self.documents)
        self.commits: list[int] = []
        self.experiments: list[str] = []
        self.sessions: dict[str, int] = {}

    def inspected(self, **more: Any) -> InspectedStores:
        """What verify and replay read."""
        known: dict[str, Any] = {"blobs": None, "audit_log": None}
        return InspectedStores(
            feed=self.feed,
            documents=self.documents,
            history=self.history,
            chain_faults=chain_faults,
            decode=decode,
            audit_chain_faults=audit_chain_faults,
            open_spill=SqliteSpillTable,
            stream_names=self.store.streams,
            **known | more,
        )

    def close(self) -> None:
        """Close both files."""
        self.log.close()
        self.read.close()

    def append(self, actor: str, *aggregates: Aggregate) -> StoredAppend:
        """Append what aggregates triggered, in one commit."""
        events: Any = [event for aggregate in aggregates for event in aggregate.collect_events()]
        metadata = Metadata(actor=actor, correlation=f"call-{len(self.commits) + 1}")
        appended = self.store.append(
            [event.with_metadata(metadata) for event in events], AppendHeader(uuid4(), uuid4(), metadata)
        )
        self.commits.append(appended.position)
        return appended

    def catch_up(self) -> int:
        """Fold all there is; return the position."""
        while self.runner.step():
            pass
        return self.documents.position()

    def experiment(self, name: str) -> Experiment:
        """Load an experiment."""
        return load(self.store, Experiment, f"experiment:{name}")

    def session(self, client: str) -> Session:
        """Load the client's open session, or the next, blank."""
        number = self.sessions.setdefault(client, 1)
        session = load(self.store, Session, f"session:{client}:{number}")
        if session.exists and not session.is_open:
            self.sessions[client] = number + 1
            return self.session(client)
        return session

    # -- what happens --------------------------------------------------------------------------------------------------

    def offer(self, stream: str, settings: dict[str, Any], digest: str = "1") -> None:
        """Offer a model or measure."""
        it = load(self.store, Offer, stream)
        if it.offer(description(settings, digest)):
            self.append("system", it)

    def withdraw_offer(self, stream: str) -> None:
        """Take it off the catalog."""
        it = load(self.store, Offer, stream)
        it.withdraw()
        self.append("system", it)

    def register(self, name: str, digit: str = "a") -> None:
        """Register a data set."""
        it = load(self.store, Dataset, f"dataset:{name}")
        if it.register(content(digit)):
            self.append("system", it)

    def retire(self, name: str) -> None:
        """Retire a data set."""
        it = load(self.store, Dataset, f"dataset:{name}")
        it.retire()
        self.append("system", it)

    def request(self, client: str, name: str, *, start: bool = True, **facts: Any) -> str:
        """Begin an experiment in the client's session."""
        session, experiment = self.session(client), self.experiment(name)
        if not session.exists:
            session.open(client)
        session.add(name)
        known: dict[str, Any] = {
            "dataset": DatasetRef(name="iris", version=1, sha256="a" * 64),
            "target": "species",
            "columns": None,
            "model": ModelRef(name="svm", version="1.9.1", distribution="scikit-learn"),
            "settings": SETTINGS,
            "preparation": 2,
            "seed": 7,
            "test_size": 0.25,
            "split": SplitRequest(),
            "memory": None,
            "deadline": None,
        }
        experiment.request_training(owner=client, session=session_id(session.id), **(known | facts))
        if start:
            experiment.start(name, 1, WORKER)
        self.append(client, session, experiment)
        self.experiments.append(name)
        return name

    def decide(self, actor: str, name: str, decision: str, *facts: Any) -> Any:
        """Let an experiment decide something and append it."""
        experiment = self.experiment(name)
        outcome = getattr(experiment, decision)(*facts)
        self.append(actor, experiment)
        return outcome

    def search(self, client: str, name: str, trials: Sequence[dict[str, Any]]) -> str:
        """Begin a search in the client's session, with trials (none: none yet)."""
        session, search = self.session(client), load(self.store, Search, f"search:{name}")
        if not session.exists:
            session.open(client)
        session.add_search(name)
        proposal = search.begin(**ASKED | {"owner": client, "session": session_id(session.id)})
        self.append(client, session, search)
        self.decide_search(name, "start", proposal, 1, WORKER)
        if trials:
            self.decide_search(name, "complete_proposal", proposal, 1, WORKER, trials, is_last=True)
        return name

    def decide_search(self, name: str, decision: str, *facts: Any, **more: Any) -> None:
        """Let a search decide something and append it."""
        search = load(self.store, Search, f"search:{name}")
        getattr(search, decision)(*facts, **more)
        self.append(WORKER, search)

    def train(self, client: str, name: str, **facts: Any) -> str:
        """Begin and complete an experiment."""
        self.request(client, name, **facts)
        self.decide(WORKER, name, "complete_training", 1, WORKER, result())
        return name

    def evaluate(self, client: str, name: str, measures: dict[str, Any], notes: EvaluationNotes = NO_NOTES) -> str:
        """Evaluate a completed experiment."""
        specs = [MeasureSpec(name="precision", average="macro")]
        task: str = self.decide(client, name, "request_evaluation", specs, None)
        self.decide(WORKER, name, "start", task, 1, WORKER)
        self.decide(WORKER, name, "complete_evaluation", task, 1, WORKER, measures, notes)
        return task

    def predict(self, client: str, name: str, id: str, **facts: Any) -> None:
        """Predict with a completed experiment."""
        self.experiment(name).check_completed("used to predict")
        it = load(self.store, Prediction, f"prediction:{id}")
        it.make(name, summary(**facts))
        self.append(client, it)

    def commit(self, client: str, chosen: Sequence[str], message: str | None = None) -> StoredAppend:
        """Commit some of the session's experiments and discard the rest."""
        session = self.session(client)
        held = [self.experiment(name) for name in session.experiments]
        searches = self._cancelled_searches(session)
        session.commit(chosen, message)
        for experiment in held:
            (experiment.commit if experiment.name in chosen else experiment.discard)(session_id(session.id))
        return self.append(client, session, *held, *searches)

    def discard(self, client: str) -> StoredAppend:
        """Discard the session."""
        session = self.session(client)
        held = [self.experiment(name) for name in session.experiments]
        searches = self._cancelled_searches(session)
        session.discard()
        for experiment in held:
            experiment.discard(session_id(session.id))
        return self.append(client, session, *held, *searches)

    def _cancelled_searches(self, session: Session) -> list[Search]:
        """Cancel what a session that ends still searches."""
        held = (load(self.store, Search, f"search:{name}") for name in session.searches)
        unfinished = [search for search in held if search.is_unfinished]
        for search in unfinished:
            search.cancel_all()
        return unfinished
