"""Search: trials of models with varied settings, round by round; the best are trained as experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, ClassVar

from domain import search_events as events
from domain.errors import ConflictError
from domain.search_events import SearchRequested, Trial, TrialResult
from domain.search_space import MAX_TRIALS
from domain.task import MAX_DETAIL, Task, TaskOwner
from domain.task_events import TaskFailed, TaskStarted
from domain.values import UNFINISHED, TrainingState

TRIALS_OF_AN_EVENT = 100  # an event has at most 256 KiB


class Search(TaskOwner):
    """One search. The end of a round's last trial asks for the next proposal, or settles the search."""

    STARTED: ClassVar[dict[str, type[TaskStarted]]] = {
        "proposal": events.ProposalStarted,
        "trial": events.TrialStarted,
    }
    FAILED: ClassVar[dict[str, type[TaskFailed]]] = {"proposal": events.ProposalFailed, "trial": events.TrialFailed}

    request: SearchRequested | None = None
    state: TrainingState = "blank"
    round: int = 0
    is_last_round: bool = False
    trials: dict[str, Trial] = field(default_factory=dict)
    results: dict[str, TrialResult] = field(default_factory=dict)
    experiments: tuple[str, ...] = ()
    stopped: str | None = None
    error: dict[str, str] | None = None

    @property
    def asked(self) -> SearchRequested:
        """The request it began with."""
        if self.request is None:
            raise LookupError(f"{self.id} has no events")
        return self.request

    @property
    def owner(self) -> str:
        return self.asked.owner

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def progress(self) -> dict[str, Any]:
        """How far it is, as answers have it."""
        best = next(iter(self.rank()), None)
        ended = [self.tasks[task].state for task in self.trials]
        return {
            "state": self.state,
            "proposed": len(ended),
            "completed": ended.count("completed"),
            "failed": ended.count("failed"),
            "best": None if best is None else best_of(self._facts_of(best)),
            "experiments": list(self.experiments),
            "stopped": self.stopped,
            "error": self.error,
        }

    @property
    def is_settled(self) -> bool:
        """Whether all its trials have ended, and one has a value, so that it can be completed."""
        has_all = self.is_last_round or self.failed_proposal is not None
        return self.is_unfinished and has_all and not self.unfinished_tasks() and bool(self.rank())

    @property
    def failed_proposal(self) -> str | None:
        """Why the last round has no trials, in a word; None where no proposal has failed."""
        errors = (task.error for task in self.tasks.values() if task.kind == "proposal" and task.error is not None)
        return next((error["reason"] for error in errors), None)

    @property
    def next_task(self) -> Task | None:
        """The first task that waits."""
        return next((task for task in self.tasks.values() if task.state == "requested"), None)

    def is_overdue(self, now: datetime) -> bool:
        return self.is_unfinished and self.asked.until is not None and now >= self.asked.until

    def begin(self, **facts: Any) -> str:
        """Request it with the facts of `search-requested`, which are checked already; return its first task."""
        if self.exists:
            raise ConflictError(f"Search {self.name} exists already.")
        self.trigger_event(SearchRequested, **facts)
        return self._request_proposal()

    def complete_proposal(
        self, task: str, attempt: int, worker: str, trials: Sequence[Mapping[str, Any]], *, is_last: bool
    ) -> None:
        """Take the settings of a round; raises ValueError for a first round without trials, or too many in all.

        A trial has `model`, `settings` and `rows`; it gets the next number. The last round may be empty: halving has
        no candidates where a rung found no value.
        """
        self._check_running(task, attempt, worker)
        known = len(self.trials)
        has_enough = bool(trials) or (is_last and known > 0)
        if not has_enough or known + len(trials) > MAX_TRIALS:
            raise ValueError(f"{len(trials)} more trials, and there are {known}")
        self.trigger_event(events.ProposalCompleted, task=task, attempt=attempt, is_last=is_last)
        numbered = [Trial(number=number, **trial) for number, trial in enumerate(trials, known + 1)]
        for first in range(0, len(numbered), TRIALS_OF_AN_EVENT):
            some = tuple(numbered[first : first + TRIALS_OF_AN_EVENT])
            self.trigger_event(events.TrialsProposed, owner=self.owner, round=self.round, trials=some)
        self._go_on()

    def complete_trial(self, task: str, attempt: int, worker: str, result: TrialResult) -> None:
        self._check_running(task, attempt, worker)
        self.trigger_event(events.TrialCompleted, task=task, attempt=attempt, result=result)
        self._go_on()

    def fail(self, task: str, attempt: int, reason: str, detail: str) -> None:
        """End a task without a result. That fails the search only where no trial has a value and none is to come."""
        super().fail(task, attempt, reason, detail)
        if self.tasks[task].kind == "trial":
            self._go_on()
        elif not self.rank():
            self.stop_without_value(reason, detail)

    def complete(self, experiments: Sequence[str], stopped: str | None = None) -> None:
        """End with the trials that have a value; `experiments` train the best."""
        if not self.is_unfinished:
            raise ConflictError(f"Search {self.name} is {self.state} already.")
        self.trigger_event(
            events.SearchCompleted,
            ranking=tuple(self.trials[task].number for task in self.rank(with_failed=True)),
            experiments=tuple(experiments),
            stopped=stopped,
        )

    def stop_without_value(self, reason: str, detail: str) -> None:
        """End it where no trial has a value and none is waited for."""
        self.trigger_event(events.SearchFailed, reason=reason, detail=detail[:MAX_DETAIL])

    def cancel_all(self) -> None:
        """End it while it waits or runs."""
        if not self.is_unfinished:
            raise ConflictError(f"Search {self.name} is {self.state} already: only one that waits or runs can end.")
        self.trigger_event(events.SearchCancelled)

    def rank(self, *, with_failed: bool = False) -> list[str]:
        """Return the trials that have a value, best first; `with_failed` also those that ended without, by number."""
        ranked = sorted(
            (task for task, result in self.results.items() if result.mean is not None),
            key=lambda task: rank_key(self._facts_of(task)),
        )
        known = set(ranked)
        ended = (task for task in self.trials if task not in known and not self.tasks[task].is_unfinished)
        return [*ranked, *ended] if with_failed else ranked

    def choose(self, most: int) -> list[str]:
        """Return the best trials that differ in what they try: halving tries the same on fewer rows before."""
        chosen: dict[tuple[str, str], str] = {}
        for task in self.rank():
            trial = self.trials[task]
            chosen.setdefault((trial.model, repr(sorted(trial.settings.items()))), task)
        return [*chosen.values()][:most]

    def training_of(self, trial: Trial) -> dict[str, Any]:
        """Return what `Experiment.request_training` takes to train what a trial tries."""
        asked = self.asked
        searched = next(it for it in asked.models if it.model.name == trial.model)
        return {
            "owner": asked.owner,
            "session": asked.session,
            "dataset": asked.dataset,
            "target": asked.target,
            "columns": asked.columns,
            "model": searched.model,
            "settings": searched.settings | trial.settings,
            "preparation": searched.preparation,
            "seed": asked.seed,
            "test_size": asked.test_size,
            "split": asked.split,
            "memory": asked.memory,
            "deadline": None,
            "search": self.name,
            "learning_task": asked.learning_task,
        }

    def _facts_of(self, task: str) -> dict[str, Any]:
        """Return the facts of a completed trial."""
        trial = self.trials[task]
        return {"trial": trial.number, **dict(trial), **dict(self.results[task])}

    def _request_proposal(self) -> str:
        task = f"{self.name}-p{self.round + 1}"
        self.trigger_event(events.ProposalRequested, task=task, owner=self.owner, round=self.round + 1)
        return task

    def _go_on(self) -> None:
        """Ask for the next round once all trials of this one have ended, or fail where none has a value at the end."""
        if self.unfinished_tasks():
            return
        if not self.is_last_round:
            self._request_proposal()
        elif not self.rank():
            errors = (self.tasks[task].error for task in self.trials)
            why = next(filter(None, (it.reason for it in self.results.values())), "The measure has no value.")
            first = next(filter(None, errors), {"reason": "error", "detail": why})
            number = len(self.trials)
            self.stop_without_value(first["reason"], f"None of {number} trials has a value: {first['detail']}")


def best_of(trial: Mapping[str, Any]) -> dict[str, Any]:
    """Return the best trial as answers have it."""
    return {key: trial[key] for key in ("trial", "model", "settings", "mean", "std")}


def rank_key(trial: Mapping[str, Any]) -> tuple[float, float, int]:
    """Return the sort key of a trial with a value: more rows come first, then the better mean, then the number."""
    rows = float("-inf") if trial["rows"] is None else -trial["rows"]
    return rows, trial["mean"] if trial["lower_is_better"] else -trial["mean"], trial["trial"]
