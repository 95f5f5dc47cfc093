"""Example facts that many specifications begin with."""

from __future__ import annotations

from typing import Any

from domain import experiment_events as events
from domain.experiment import Experiment
from domain.session import Session
from domain.session_events import ExperimentAdded, SessionOpened
from domain.values import BlobRef, DatasetRef, MeasureSpec, ModelRef, Split, SplitRequest, Training
from tests.domain.specification import Fact, Specification, fact

ID = "abcdefghijklmnop"
E1, R1 = f"{ID}-e1", f"{ID}-r1"
SESSION = "ana-1"
WORKER, OTHER = "worker-1", "worker-2"

IRIS = DatasetRef(name="iris", version=1, sha256="a" * 64)
LOGISTIC = ModelRef(name="logistic-regression", version="1.7.0", distribution="scikit-learn")
PRECISION = MeasureSpec(name="precision", average="macro")
REQUEST: dict[str, Any] = {
    "owner": "ana",
    "session": SESSION,
    "dataset": IRIS,
    "target": "species",
    "columns": None,
    "model": LOGISTIC,
    "settings": {"C": 1.0},
    "preparation": 2,
    "seed": 7,
    "test_size": 0.25,
    "split": SplitRequest(),
    "memory": None,
    "deadline": None,
    "search": None,
}
RESULT = Training(
    learned={"coefficients": [1.0]},
    model_blob=BlobRef(sha256="b" * 64, size=10),
    learned_blob=BlobRef(sha256="c" * 64, size=20),
    split=Split(train_rows=112, test_rows=38, sha256="d" * 64),
    provenance={"python": "3.11"},
    fit_seconds=0.01,
)

REQUESTED = fact(events.TrainingRequested, task=ID, **REQUEST)
STARTED = fact(events.TrainingStarted, task=ID, attempt=1, worker=WORKER)
COMPLETED = fact(events.TrainingCompleted, task=ID, attempt=1, result=RESULT)
FAILED = fact(events.TrainingFailed, task=ID, attempt=1, reason="crashed", detail="It died.")
CANCELLED = fact(events.TrainingCancelled, task=ID)
COMMITTED = fact(events.ExperimentCommitted, session=SESSION)
DISCARDED = fact(events.ExperimentDiscarded, session=SESSION)
WITHDRAWN = fact(events.ExperimentWithdrawn, reason="wrong data")
RESTORED = fact(events.ExperimentRestored, reason="right after all")

E1_REQUESTED = fact(events.EvaluationRequested, task=E1, measures=(PRECISION,), on=None)
E1_STARTED = fact(events.EvaluationStarted, task=E1, attempt=1, worker=WORKER)
E1_COMPLETED = fact(events.EvaluationCompleted, task=E1, attempt=1, measures={"precision:macro": 0.9})
R1_REQUESTED = fact(events.ReproductionRequested, task=R1)
R1_STARTED = fact(events.ReproductionStarted, task=R1, attempt=1, worker=WORKER)

TRAINED = (REQUESTED, STARTED, COMPLETED)


def experiment(*given: Fact) -> Specification[Experiment]:
    """Specify the experiment after these facts."""
    return Specification(Experiment, f"experiment:{ID}", *given)


def session(*held: str) -> Specification[Session]:
    """Specify ana's open session that holds these experiments."""
    added = [fact(ExperimentAdded, experiment=name) for name in held]
    return Specification(Session, "session:ana:1", fact(SessionOpened, client="ana"), *added)
