"""One example of every event, with all facts given; the golden files hold what is stored of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain import experiment_events as experiment
from domain import search_events as search
from domain import session_events as session
from domain.client import ClientAdded, ClientRevoked, ClientRotated
from domain.dataset import DatasetContent, DatasetRegistered, DatasetRetired, ProfileSummary, Reading, Suspect
from domain.events import Event, Metadata
from domain.loss import LOSSES, LostTail, TailLossAccepted
from domain.offer import Description, MeasureOffered, MeasureWithdrawn, ModelOffered, ModelWithdrawn
from domain.prediction import PredictedNumbers, PredictionMade, PredictionSummary
from domain.search_space import Choices, Range, SearchedModel
from domain.values import (
    BlobRef,
    DatasetRef,
    EvaluationNotes,
    Folds,
    MeasureSpec,
    ModelRef,
    Split,
    SplitRequest,
    Training,
)

GOLDEN = Path(__file__).parents[1] / "golden"
EXPERIMENT = "abcdefgh234567yz"
SEARCH = "qrstuvwx234567ab"
EVALUATION, REPRODUCTION = f"{EXPERIMENT}-e1", f"{EXPERIMENT}-r1"
IRIS = DatasetRef(name="iris", version=1, sha256="a1" * 32)
METADATA = Metadata(
    actor="ana",
    correlation="0b9de3c6-3f0c-4d62-9d0f-0a4b8c9d1e2f",
    causation="5d8f2c1e-7a6b-5c4d-8e9f-1a2b3c4d5e6f",
)
SVM = {
    "C": {"type": "number", "default": 1.0, "exclusive_minimum": 0.0},
    "kernel": {"type": "choice", "default": "rbf", "choices": ["linear", "rbf", None]},
}
RESULT = Training(
    learned={"n_support": [3, 5], "intercept": [0.1, -2.5e-17], "größe": "ß"},
    model_blob=BlobRef(sha256="b2" * 32, size=4711),
    learned_blob=BlobRef(sha256="c3" * 32, size=815),
    split=Split(train_rows=112, test_rows=38, sha256="d4" * 32),
    provenance={"python": "3.11.7", "scikit-learn": "1.6.1", "seed": 7, "threads": 1},
    fit_seconds=0.0125,
)
DESCRIPTION = Description(
    distribution="scikit-learn",
    version="1.6.1",
    description="Support vectors.",
    tasks=("regression",),
    settings=SVM,
    digest="e5" * 32,
)
PRECISION = Description(
    distribution="scikit-learn",
    version="1.6.1",
    description="How many of the found are right.",
    tasks=("classification", "regression"),
    settings={"average": {"type": "choice", "choices": ["macro", "micro"], "default": "macro"}},
    digest="f6" * 32,
)
CONTENT = DatasetContent(
    blob=BlobRef(sha256="a1" * 32, size=2345),
    rows=150,
    columns={"sepal length": "number", "species": "string"},
    target="species",
    classes=("setosa", "virginica"),
    class_rows=(100, 50),
    task="classification",
    positive="virginica",
    reading=Reading(
        format="csv",
        sheet=None,
        encoding="cp1252",
        separator=";",
        quote='"',
        decimal=",",
        thousands=".",
        dayfirst=True,
        spellings={"sepal length": "1.234,5 cm", "picked": "%d.%m.%Y"},
        missing={"": 2, "n.d.": 1},
        missing_texts=("n.d.",),
        dropped=("remark",),
        left_out=("Unnamed: 0",),
        rows_dropped=3,
    ),
    profile=ProfileSummary(
        blob=BlobRef(sha256="b7" * 32, size=6789),
        suspects=(
            Suspect(
                kind="duplicate-column",
                columns=("größe", "size"),
                reason="tells the same as 'größe'",
                remedy="autolearn train iris MODEL --drop size",
            ),
        ),
        suspects_found=21,
    ),
    notes=("The first column has no name and was left out: it is the index of pandas.",),
    licence="CC-BY-4.0",
    source=None,
)
FAILURE: dict[str, Any] = {"attempt": 1, "reason": "crashed", "detail": "The task ended by signal 11."}


def _of(stream: str, event_class: type[Event], **facts: Any) -> Event:
    return event_class(originator_id=stream, originator_version=1, metadata=METADATA, **facts)


def _of_experiment(event_class: type[Event], **facts: Any) -> Event:
    return _of(f"experiment:{EXPERIMENT}", event_class, **facts)


def _of_session(event_class: type[Event], **facts: Any) -> Event:
    return _of("session:ana:3", event_class, **facts)


SEARCHED = SearchedModel(
    model=ModelRef(name="svm", version="1.6.1", distribution="scikit-learn"),
    settings={"C": 1.0, "kernel": "rbf", "gamma": "scale"},
    preparation=2,
    space={"kernel": Choices(values=("rbf", None)), "gamma": Range(scale="log", low=0.0001, high=1.0)},
)
TRIAL_RESULT = search.TrialResult(
    folds=(0.9, None, 1.0),
    mean=0.95,
    std=0.05,
    lower_is_better=False,
    seconds=0.25,
    warnings=("Liblinear failed to converge.",),
    reason=None,
)


def _of_search(event_class: type[Event], **facts: Any) -> Event:
    return _of(f"search:{SEARCH}", event_class, **facts)


EXAMPLES: list[Event] = [
    _of_session(session.SearchAdded, search=SEARCH),
    _of_search(
        search.SearchRequested,
        owner="ana",
        session="ana-3",
        dataset=IRIS,
        target="species",
        columns=("sepal length", "größe"),
        models=(SEARCHED,),
        strategy="random",
        trials=60,
        folds=Folds(kind="kfold", k=5, repeats=1),
        measure=MeasureSpec(name="f1", average="macro"),
        seed=7,
        test_size=0.25,
        split=SplitRequest(method="group", column="garden"),
        memory=4_294_967_296,
        keep=2,
        deadline=60.5,
        until=datetime(2026, 2, 1, 12, 30, 0, 250, UTC),
        learning_task="regression",
    ),
    _of_search(search.ProposalRequested, task=f"{SEARCH}-p1", owner="ana", round=1),
    _of_search(search.ProposalStarted, task=f"{SEARCH}-p1", attempt=1, worker="host-4242"),
    _of_search(search.ProposalCompleted, task=f"{SEARCH}-p1", attempt=1, is_last=True),
    _of_search(search.ProposalFailed, task=f"{SEARCH}-p1", **FAILURE),
    _of_search(
        search.TrialsProposed,
        owner="ana",
        round=1,
        trials=(search.Trial(number=1, model="svm", settings={"kernel": None, "gamma": 0.01}, rows=None),),
    ),
    _of_search(search.TrialStarted, task=f"{SEARCH}-t1", attempt=1, worker="host-4242"),
    _of_search(search.TrialCompleted, task=f"{SEARCH}-t1", attempt=1, result=TRIAL_RESULT),
    _of_search(search.TrialFailed, task=f"{SEARCH}-t1", **FAILURE),
    _of_search(search.SearchCompleted, ranking=(1,), experiments=(EXPERIMENT,), stopped="deadline"),
    _of_search(search.SearchFailed, reason="error", detail="None of 60 trials has a value."),
    _of_search(search.SearchCancelled),
    _of_session(session.SessionOpened, client="ana"),
    _of_session(session.ExperimentAdded, experiment=EXPERIMENT),
    _of_session(session.SessionCommitted, committed=(EXPERIMENT,), discarded=("zzzzzzzz22222222",), message="Done ✓"),
    _of_session(session.SessionDiscarded, discarded=(EXPERIMENT,)),
    _of_experiment(
        experiment.TrainingRequested,
        task=EXPERIMENT,
        owner="ana",
        session="ana-3",
        dataset=IRIS,
        target="species",
        columns=("sepal length", "größe"),
        model=ModelRef(name="svm", version="1.6.1", distribution="scikit-learn"),
        settings={"C": 0.5, "kernel": None, "shrinking": True, "max_iter": -1, "gamma": "scale"},
        preparation=2,
        seed=7,
        test_size=0.25,
        split=SplitRequest(method="dataset", column="day", dataset=IRIS),
        memory=4_294_967_296,
        deadline=1800.0,
        search=SEARCH,
        learning_task="regression",
    ),
    _of_experiment(experiment.TrainingStarted, task=EXPERIMENT, attempt=1, worker="host-4242"),
    _of_experiment(experiment.TrainingCompleted, task=EXPERIMENT, attempt=1, result=RESULT),
    _of_experiment(experiment.TrainingFailed, task=EXPERIMENT, **FAILURE),
    _of_experiment(experiment.TrainingCancelled, task=EXPERIMENT),
    _of_experiment(
        experiment.EvaluationRequested,
        task=EVALUATION,
        measures=(MeasureSpec(name="precision", average="macro"), MeasureSpec(name="mcc")),
        on=IRIS,
        folds=Folds(kind="kfold", k=5, repeats=3),
        threshold=0.3,
        positive="virginica",
        by="größe",
        importance=True,
    ),
    _of_experiment(experiment.EvaluationStarted, task=EVALUATION, attempt=1, worker="host-4242"),
    _of_experiment(
        experiment.EvaluationCompleted,
        task=EVALUATION,
        attempt=1,
        measures={"precision:binary@iris": 0.9737, "log-loss@iris": None, "confusion-matrix": [[12, 0], [1, 25]]},
        notes=EvaluationNotes(
            intervals={"precision:binary@iris": (0.92, 1.0)},
            resamples=1000,
            spread={"precision:binary@iris": 0.0125},
            folds={"precision:binary@iris": (0.96, None, 1.0)},
            threshold=0.375,
            reasons={"log-loss@iris": "log-loss needs a model that gives probabilities."},
            warnings=("precision:binary@iris: Precision is ill-defined.",),
            positive="virginica",
            tables={"cost@iris": BlobRef(sha256="a7" * 32, size=1_000_000)},
            report=BlobRef(sha256="b8" * 32, size=65_536),
        ),
    ),
    _of_experiment(experiment.EvaluationFailed, task=EVALUATION, **FAILURE),
    _of_experiment(experiment.EvaluationCancelled, task=EVALUATION),
    _of_experiment(experiment.ReproductionRequested, task=REPRODUCTION),
    _of_experiment(experiment.ReproductionStarted, task=REPRODUCTION, attempt=2, worker="host-4242"),
    _of_experiment(
        experiment.ReproductionCompleted,
        task=REPRODUCTION,
        attempt=2,
        verdict="different",
        differences=("intercept[0] is 0.1, was 0.2",),
    ),
    _of_experiment(experiment.ReproductionFailed, task=REPRODUCTION, **FAILURE),
    _of_experiment(experiment.ReproductionCancelled, task=REPRODUCTION),
    _of_experiment(experiment.ExperimentCommitted, session="ana-3"),
    _of_experiment(experiment.ExperimentDiscarded, session="ana-3"),
    _of_experiment(experiment.ExperimentAnnotated, text='Said "yes"\nand moved on.', reason="review"),
    _of_experiment(experiment.ExperimentWithdrawn, reason="wrong data"),
    _of_experiment(experiment.ExperimentRestored, reason="right data after all"),
    _of("dataset:iris", DatasetRegistered, version=1, content=CONTENT),
    _of("dataset:iris", DatasetRetired),
    _of("model:svm", ModelOffered, description=DESCRIPTION),
    _of("model:svm", ModelWithdrawn),
    _of("measure:precision", MeasureOffered, description=PRECISION),
    _of("measure:precision", MeasureWithdrawn),
    _of(
        "prediction:bcdefgh234567yza",
        PredictionMade,
        experiment=EXPERIMENT,
        summary=PredictionSummary(
            input=BlobRef(sha256="c9" * 32, size=2048),
            output=BlobRef(sha256="da" * 32, size=512),
            format="csv",
            probabilities=True,
            rows=40,
            missing=3,
            unseen=2,
            beyond=1,
            classes={"setosa": 25, "virginica": 15},
            numbers=PredictedNumbers(least=-1.5, mean=0.25, greatest=3.0),
            seconds=0.125,
            kept=True,
            notes=("Columns that the model does not use were ignored: id.",),
        ),
    ),
    _of("client:ana", ClientAdded, roles=("analyst", "sys-admin")),
    _of("client:ana", ClientRotated, generation=2, previous_until=datetime(2026, 2, 1, 12, 30, 0, 250, UTC)),
    _of("client:ana", ClientRevoked),
    _of(
        LOSSES,
        TailLossAccepted,
        reason="The disk of 3 May is gone.",
        log=LostTail(position=20, head="a7" * 32, until=40),
        audit=LostTail(position=7, head="b8" * 32, until=7),
        evidence=("the read models are at 40, the log ends at 20",),
    ),
]


if __name__ == "__main__":
    from adapters.log.events import encode

    for example in EXAMPLES:  # a file that is there never changes: what was stored stays readable
        path = GOLDEN / f"{example.NAME}.json"
        if not path.exists():
            path.write_bytes(encode(example) + b"\n")
