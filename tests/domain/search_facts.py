"""Example facts of a search: two rounds of two trials."""

from __future__ import annotations

from typing import Any

from domain import search_events as events
from domain.search import Search
from domain.search_events import Trial, TrialResult
from domain.search_space import Choices, SearchedModel
from domain.values import Folds, MeasureSpec, SplitRequest
from tests.domain.facts import IRIS, LOGISTIC, SESSION, WORKER
from tests.domain.specification import Fact, Specification, fact

SEARCH = "qrstuvwxyz234567"
P1, P2 = f"{SEARCH}-p1", f"{SEARCH}-p2"
T1, T2, T3 = (f"{SEARCH}-t{number}" for number in (1, 2, 3))
ASKED: dict[str, Any] = {
    "owner": "ana",
    "session": SESSION,
    "dataset": IRIS,
    "target": "species",
    "columns": None,
    "models": (
        SearchedModel(
            model=LOGISTIC, settings={"C": 1.0, "max_iter": 50}, preparation=2, space={"C": Choices(values=(0.1, 1.0))}
        ),
    ),
    "strategy": "random",
    "trials": 4,
    "folds": Folds(kind="kfold", k=5),
    "measure": MeasureSpec(name="accuracy"),
    "seed": 7,
    "test_size": 0.25,
    "split": SplitRequest(),
    "memory": None,
    "keep": 1,
    "deadline": None,
    "until": None,
}


def trial(c: float, rows: int | None = None) -> dict[str, Any]:
    """Return a trial as a proposal answers it."""
    return {"model": "logistic-regression", "settings": {"C": c}, "rows": rows}


def result(mean: float | None, *, lower_is_better: bool = False) -> TrialResult:
    """Return what a trial found."""
    std, reason = (None, "It has none.") if mean is None else (0.0, None)
    return TrialResult(
        folds=(mean,),
        mean=mean,
        std=std,
        lower_is_better=lower_is_better,
        seconds=0.5,
        warnings=("Slow.",),
        reason=reason,
    )


def numbered(first: int, *trials: dict[str, Any]) -> tuple[Trial, ...]:
    """Return trials with their numbers."""
    return tuple(Trial(number=number, **it) for number, it in enumerate(trials, first))


BEGUN = (
    fact(events.SearchRequested, **ASKED),
    fact(events.ProposalRequested, task=P1, owner="ana", round=1),
)
P1_STARTED = fact(events.ProposalStarted, task=P1, attempt=1, worker=WORKER)
TWO = (trial(0.1), trial(1.0))
PROPOSED = (
    fact(events.ProposalCompleted, task=P1, attempt=1, is_last=True),
    fact(events.TrialsProposed, owner="ana", round=1, trials=numbered(1, *TWO)),
)
MORE_FOLLOW = (fact(events.ProposalCompleted, task=P1, attempt=1, is_last=False), PROPOSED[1])


def started(task: str, attempt: int = 1) -> Fact:
    """Return the claim of a trial."""
    return fact(events.TrialStarted, task=task, attempt=attempt, worker=WORKER)


def completed(task: str, mean: float | None) -> Fact:
    """Return the end of a trial."""
    return fact(events.TrialCompleted, task=task, attempt=1, result=result(mean))


def failed(task: str) -> Fact:
    """Return the failure of a trial."""
    return fact(events.TrialFailed, task=task, attempt=1, reason="error", detail="It broke.")


def search(*given: Fact) -> Specification[Search]:
    """Specify the search after these facts."""
    return Specification(Search, f"search:{SEARCH}", *given)
