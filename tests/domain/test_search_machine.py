"""Whatever is decided in whatever order: the log folds to the same search, and no rule is ever broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.errors import AutoLearnError
from domain.events import Event
from domain.search import Search
from domain.task_events import AllTasksEnded, Ended
from domain.values import MAX_ATTEMPTS
from tests.domain.facts import OTHER, WORKER
from tests.domain.search_facts import ASKED, SEARCH, result, trial
from tests.domain.specification import folded

STREAM = f"search:{SEARCH}"
tasks = st.sampled_from([f"{SEARCH}-p1", f"{SEARCH}-p2", *(f"{SEARCH}-t{number}" for number in range(1, 6))])
workers = st.sampled_from([WORKER, OTHER])


class SearchMachine(RuleBasedStateMachine):
    """Decides at random; a refused decision triggers no event."""

    def __init__(self) -> None:
        super().__init__()
        self.search = Search.create_blank(STREAM)
        self.log: list[Event] = []

    def decide(self, decision: Callable[[Search], Any]) -> None:
        try:
            decision(self.search)
        except AutoLearnError:
            assert list(self.search.collect_events()) == []
        else:
            self.log += list(self.search.collect_events())  # type: ignore[arg-type] # the library's base class

    @rule()
    def begin(self) -> None:
        self.decide(lambda it: it.begin(**ASKED))

    @rule(task=tasks, worker=workers)
    def start_the_next_attempt(self, task: str, worker: str) -> None:
        known = self.search.tasks.get(task)
        self.decide(lambda it: it.start(task, known.attempt + 1 if known else 1, worker))

    @rule(task=tasks, worker=workers, number=st.integers(1, 3), is_last=st.booleans())
    def complete_proposal(self, task: str, worker: str, number: int, *, is_last: bool) -> None:
        if "-p" in task:
            attempt = self.search.tasks[task].attempt if task in self.search.tasks else 1
            trials = [trial(float(place)) for place in range(number)]
            self.decide(lambda it: it.complete_proposal(task, attempt, worker, trials, is_last=is_last))

    @rule(task=tasks, worker=workers, mean=st.none() | st.floats(0, 1))
    def complete_trial(self, task: str, worker: str, mean: float | None) -> None:
        if "-t" in task:
            attempt = self.search.tasks[task].attempt if task in self.search.tasks else 1
            self.decide(lambda it: it.complete_trial(task, attempt, worker, result(mean)))

    @rule(task=tasks, attempt=st.integers(0, 3))
    def fail(self, task: str, attempt: int) -> None:
        self.decide(lambda it: it.fail(task, attempt, "error", "It broke."))

    @rule(task=tasks, worker=workers)
    def try_again(self, task: str, worker: str) -> None:
        attempt = self.search.tasks[task].attempt if task in self.search.tasks else 1
        self.decide(lambda it: it.try_again(task, attempt, worker))

    @rule(early=st.booleans())
    def complete(self, *, early: bool) -> None:
        if self.search.is_settled or (early and self.search.is_unfinished):
            self.decide(lambda it: it.complete([], "deadline" if early else None))

    @rule(really=st.integers(0, 9))
    def cancel(self, really: int) -> None:
        if self.search.exists and not really:
            self.decide(lambda it: it.cancel_all())

    @invariant()
    def folding_the_log_gives_the_same(self) -> None:
        assert folded(Search.create_blank(STREAM), self.log) == self.search
        assert [event.originator_version for event in self.log] == list(range(1, len(self.log) + 1))

    @invariant()
    def it_waits_for_something_until_it_ends(self) -> None:
        if self.search.exists and self.search.is_unfinished and not self.search.is_settled:
            assert self.search.unfinished_tasks()
        if self.search.exists and not self.search.is_unfinished:
            assert self.search.unfinished_tasks() == []
            assert isinstance(self.log[-1], AllTasksEnded)

    @invariant()
    def a_task_ends_once_and_never_beyond_its_attempts(self) -> None:
        ended = [event.task for event in self.log if isinstance(event, Ended)]
        assert len(ended) == len(set(ended))
        assert all(task.attempt <= MAX_ATTEMPTS for task in self.search.tasks.values())

    @invariant()
    def trials_are_numbered_without_a_gap(self) -> None:
        assert [it.number for it in self.search.trials.values()] == list(range(1, len(self.search.trials) + 1))


TestSearchMachine = SearchMachine.TestCase
TestSearchMachine.settings = settings(max_examples=60, stateful_step_count=50)
