"""The life of an experiment as events, for benchmarks that need many of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from domain.events import Event, Metadata
from domain.experiment_events import (
    EvaluationCompleted,
    EvaluationRequested,
    EvaluationStarted,
    ExperimentCommitted,
    TrainingCompleted,
    TrainingRequested,
    TrainingStarted,
)
from domain.values import BlobRef, DatasetRef, MeasureSpec, ModelRef, Split, Training

METADATA = Metadata(actor="ana", correlation=str(uuid4()), causation=str(uuid4()))
SHA = "ab" * 32
REQUEST: dict[str, Any] = {
    "owner": "ana",
    "session": "ana-3",
    "dataset": DatasetRef(name="iris", version=1, sha256=SHA),
    "target": "species",
    "columns": None,
    "model": ModelRef(name="svm", version="1.6.1", distribution="scikit-learn"),
    "settings": {"C": 1.0, "kernel": "rbf", "tol": 0.001},
    "preparation": 2,
    "seed": 7,
    "test_size": 0.25,
}
RESULT = Training(
    learned={"coefficients": [0.125] * 8, "intercept": [0.5, -0.25, 1.0]},
    model_blob=BlobRef(sha256=SHA, size=4711),
    learned_blob=BlobRef(sha256=SHA, size=815),
    split=Split(train_rows=112, test_rows=38, sha256=SHA),
    provenance={"python": "3.11.7", "scikit-learn": "1.6.1", "numpy": "2.2.1", "pandas": "2.2.3", "threads": 1},
    fit_seconds=0.0125,
)


def life(number: int) -> list[Event]:
    """Return the 7 events of the n-th experiment: trained, evaluated, committed."""
    task = f"e{number:015}".translate(str.maketrans("0189", "abcd"))
    evaluation = f"{task}-e1"
    started = {"attempt": 1, "worker": "host-4242"}
    facts: list[tuple[type[Event], dict[str, Any]]] = [
        (TrainingRequested, {"task": task, **REQUEST}),
        (TrainingStarted, {"task": task, **started}),
        (TrainingCompleted, {"task": task, "attempt": 1, "result": RESULT}),
        (EvaluationRequested, {"task": evaluation, "measures": (MeasureSpec(name="precision", average="macro"),)}),
        (EvaluationStarted, {"task": evaluation, **started}),
        (EvaluationCompleted, {"task": evaluation, "attempt": 1, "measures": {"precision:macro": 0.97}}),
        (ExperimentCommitted, {"session": "ana-3"}),
    ]
    stream = f"experiment:{task}"
    return [
        event_class(originator_id=stream, originator_version=version, metadata=METADATA, **rest)
        for version, (event_class, rest) in enumerate(facts, 1)
    ]
