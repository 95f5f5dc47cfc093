"""A search goes from proposal to trials to the next proposal; what fails ranks last; the best are named at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import search_events as events
from domain.errors import ConflictError
from domain.search import TRIALS_OF_AN_EVENT
from domain.values import MAX_ATTEMPTS
from tests.domain.facts import OTHER, WORKER
from tests.domain.search_facts import (
    ASKED,
    BEGUN,
    MORE_FOLLOW,
    P1,
    P1_STARTED,
    P2,
    PROPOSED,
    SEARCH,
    T1,
    T2,
    T3,
    TWO,
    completed,
    failed,
    numbered,
    result,
    search,
    started,
    trial,
)
from tests.domain.specification import fact

RUNNING = (*BEGUN, P1_STARTED, *PROPOSED, started(T1), started(T2))
COMPLETED = fact(events.SearchCompleted, ranking=(2, 1), experiments=("a" * 16,), stopped=None)
CANCELLED = fact(events.SearchCancelled)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_it_begins_with_a_proposal() -> None:
    begun = search().when(lambda it: it.begin(**ASKED)).then(*BEGUN)
    assert (begun.state, begun.tasks[P1].client) == ("requested", "ana")
    search(*BEGUN).when(lambda it: it.begin(**ASKED)).refused(ConflictError, "exists already")


def test_what_is_proposed_waits_in_order() -> None:
    proposed = search(*BEGUN, P1_STARTED).when(lambda it: it.complete_proposal(P1, 1, WORKER, TWO, is_last=True))
    after = proposed.then(*PROPOSED)
    assert [task.id for task in after.unfinished_tasks()] == [T1, T2]
    assert after.next_task is after.tasks[T1]


def test_an_event_has_only_so_many_trials() -> None:
    many = [trial(float(number)) for number in range(TRIALS_OF_AN_EVENT + 1)]
    running = search(*BEGUN, P1_STARTED)
    outcome = running.when(lambda it: it.complete_proposal(P1, 1, WORKER, many, is_last=True))
    assert [len(event.trials) for event in outcome.events[1:]] == [TRIALS_OF_AN_EVENT, 1]
    assert [*outcome.aggregate.tasks][-1] == f"{SEARCH}-t{TRIALS_OF_AN_EVENT + 1}"


@pytest.mark.parametrize("trials", [[], [trial(1.0)] * 1001])
def test_a_round_without_trials_or_with_too_many_is_no_proposal(trials: list[dict[str, Any]]) -> None:
    aggregate = search(*BEGUN, P1_STARTED).aggregate()
    with pytest.raises(ValueError, match="more trials"):
        aggregate.complete_proposal(P1, 1, WORKER, trials, is_last=True)
    assert list(aggregate.collect_events()) == []


def test_a_round_that_goes_on_asks_for_the_next_when_its_last_trial_ends() -> None:
    running = search(*BEGUN, P1_STARTED, *MORE_FOLLOW, started(T1), started(T2))
    first = running.when(lambda it: it.complete_trial(T2, 1, WORKER, result(0.9)))
    first.then(completed(T2, 0.9))
    last = running.given(completed(T2, 0.9)).when(lambda it: it.complete_trial(T1, 1, WORKER, result(0.8)))
    after = last.then(completed(T1, 0.8), fact(events.ProposalRequested, task=P2, owner="ana", round=2))
    assert not after.is_settled


def test_trials_of_the_next_round_get_the_next_numbers() -> None:
    given = (*BEGUN, P1_STARTED, *MORE_FOLLOW, started(T1), completed(T1, 0.8), started(T2), failed(T2))
    asked = fact(events.ProposalRequested, task=P2, owner="ana", round=2)
    second = fact(events.ProposalStarted, task=P2, attempt=1, worker=WORKER)
    ended = search(*given, asked, second).when(
        lambda it: it.complete_proposal(P2, 1, WORKER, [trial(5.0, rows=9)], is_last=True)
    )
    ended.then(
        fact(events.ProposalCompleted, task=P2, attempt=1, is_last=True),
        fact(events.TrialsProposed, owner="ana", round=2, trials=numbered(3, trial(5.0, rows=9))),
    )


def test_it_is_settled_by_its_last_trial_and_completed_once() -> None:
    done = search(*RUNNING, completed(T1, 0.8), completed(T2, 0.9))
    assert done.aggregate().is_settled
    assert not search(*RUNNING, completed(T1, 0.8)).aggregate().is_settled
    after = done.when(lambda it: it.complete(["a" * 16])).then(COMPLETED)
    assert after.progress["best"] == {
        "trial": 2, "model": "logistic-regression", "settings": {"C": 1.0}, "mean": 0.9, "std": 0.0
    }  # fmt: skip
    done.given(COMPLETED).when(lambda it: it.complete([])).refused(ConflictError, "is completed already")


@pytest.mark.parametrize(
    ("means", "lower_is_better", "ranking"),
    [
        ((0.5, 0.9, 0.7), False, (2, 3, 1)),
        ((0.5, 0.9, 0.7), True, (1, 3, 2)),
        ((0.7, 0.7, 0.9), False, (3, 1, 2)),
        ((None, 0.1, None), False, (2, 1, 3)),
    ],
)
def test_trials_rank_by_mean_then_by_number(
    means: tuple[float | None, ...], lower_is_better: bool, ranking: tuple[int, ...]
) -> None:
    more = fact(events.TrialsProposed, owner="ana", round=1, trials=numbered(1, *TWO, trial(5.0)))
    given = [*BEGUN, P1_STARTED, PROPOSED[0], more]
    for number, mean in enumerate(means, 1):
        found = result(mean, lower_is_better=lower_is_better)
        task = f"{SEARCH}-t{number}"
        given += [started(task), fact(events.TrialCompleted, task=task, attempt=1, result=found)]
    outcome = search(*given).when(lambda it: it.complete([]))
    assert outcome.events[-1].ranking == ranking


def test_more_rows_rank_before_a_better_mean() -> None:
    few, all_rows = trial(1.0, rows=20), trial(2.0)
    proposed = fact(events.TrialsProposed, owner="ana", round=1, trials=numbered(1, few, all_rows))
    given = (*BEGUN, P1_STARTED, PROPOSED[0], proposed, started(T1), started(T2))
    assert search(*given, completed(T1, 0.99), completed(T2, 0.9)).aggregate().rank() == [T2, T1]


@pytest.mark.parametrize("mean", [0.9, None])
def test_a_last_round_may_be_empty_and_then_it_has_what_came_before(mean: float | None) -> None:
    first = fact(events.TrialsProposed, owner="ana", round=1, trials=numbered(1, trial(1.0, rows=20)))
    asked = fact(events.ProposalRequested, task=P2, owner="ana", round=2)
    second = fact(events.ProposalStarted, task=P2, attempt=1, worker=WORKER)
    given = [*BEGUN, P1_STARTED, MORE_FOLLOW[0], first, started(T1), completed(T1, mean), asked, second]
    outcome = search(*given).when(lambda it: it.complete_proposal(P2, 1, WORKER, [], is_last=True))
    assert isinstance(outcome.events[0], events.ProposalCompleted)
    assert [type(it) for it in outcome.events[1:]] == ([] if mean else [events.SearchFailed])


def test_what_two_rungs_tried_is_chosen_once() -> None:
    few, all_rows, other = trial(1.0, rows=20), trial(1.0), trial(2.0, rows=20)
    proposed = fact(events.TrialsProposed, owner="ana", round=1, trials=numbered(1, all_rows, few, other))
    ended = [it for task in (T1, T2, T3) for it in (started(task), completed(task, 0.9))]
    found = search(*BEGUN, P1_STARTED, PROPOSED[0], proposed, *ended).aggregate()
    assert (found.rank(), found.choose(2)) == ([T1, T2, T3], [T1, T3])


def test_a_failed_trial_ranks_last_and_fails_nothing_else() -> None:
    running = search(*RUNNING)
    running.when(lambda it: it.fail(T1, 1, "error", "It broke.")).then(failed(T1))
    ended = running.given(failed(T1), completed(T2, 0.2))
    assert ended.aggregate().is_settled
    assert ended.aggregate().rank(with_failed=True) == [T2, T1]


def test_it_fails_when_no_trial_has_a_value() -> None:
    why = fact(events.SearchFailed, reason="error", detail="None of 2 trials has a value: It broke.")
    almost = search(*RUNNING, completed(T2, None))
    after = almost.when(lambda it: it.fail(T1, 1, "error", "It broke.")).then(failed(T1), why)
    assert (after.state, after.progress["error"]) == ("failed", why.facts)


def test_it_fails_with_a_proposal() -> None:
    broken = fact(events.ProposalFailed, task=P1, attempt=1, reason="bad-input", detail="Too few rows.")
    end = fact(events.SearchFailed, reason="bad-input", detail="Too few rows.")
    search(*BEGUN, P1_STARTED).when(lambda it: it.fail(P1, 1, "bad-input", "Too few rows.")).then(broken, end)


def test_a_later_proposal_that_fails_settles_it_with_the_trials_that_it_has() -> None:
    given = (*BEGUN, P1_STARTED, *MORE_FOLLOW, started(T1), completed(T1, 0.8), started(T2), completed(T2, 0.7))
    asked = fact(events.ProposalRequested, task=P2, owner="ana", round=2)
    second = fact(events.ProposalStarted, task=P2, attempt=1, worker=WORKER)
    broken = fact(events.ProposalFailed, task=P2, attempt=1, reason="lost", detail="It was lost.")
    after = search(*given, asked, second).when(lambda it: it.fail(P2, 1, "lost", "It was lost.")).then(broken)
    assert (after.is_settled, after.failed_proposal) == (True, "lost")


def test_a_killed_process_costs_one_attempt_of_one_trial() -> None:
    again = search(*RUNNING).when(lambda it: it.try_again(T1, 1, WORKER))
    after = again.then(started(T1, 2))
    assert (again.returned, after.tasks[T1].attempt, after.tasks[T2].attempt) == (True, 2, 1)
    last = search(*RUNNING, started(T1, 2), started(T1, MAX_ATTEMPTS))
    outcome = last.when(lambda it: it.try_again(T1, MAX_ATTEMPTS, WORKER))
    outcome.then()
    assert outcome.returned is False
    search(*RUNNING).when(lambda it: it.try_again(T1, 1, OTHER)).refused(ConflictError, "comes too late")


def test_cancelling_it_cancels_its_tasks() -> None:
    after = search(*RUNNING).when(lambda it: it.cancel_all()).then(CANCELLED)
    assert (after.state, after.unfinished_tasks(), after.tasks[T1].state) == ("cancelled", [], "cancelled")
    gone = search(*RUNNING, CANCELLED)
    gone.when(lambda it: it.cancel_all()).refused(ConflictError, "is cancelled already")
    gone.when(lambda it: it.complete_trial(T1, 1, WORKER, result(0.9))).refused(ConflictError, "comes too late")
    gone.when(lambda it: it.start(T2, 2, WORKER)).refused(ConflictError, "cannot be started")


def test_it_is_overdue_from_its_deadline_on() -> None:
    with_deadline = fact(events.SearchRequested, **ASKED | {"deadline": 60.0, "until": NOON})
    it = search(with_deadline, BEGUN[1]).aggregate()
    assert [it.is_overdue(NOON + timedelta(seconds=seconds)) for seconds in (-1, 0)] == [False, True]
    assert not search(*BEGUN).aggregate().is_overdue(NOON)
    stopped = search(with_deadline, *RUNNING[1:], completed(T1, 0.8)).when(lambda it: it.complete([], "deadline"))
    after = stopped.then(fact(events.SearchCompleted, ranking=(1,), experiments=(), stopped="deadline"))
    assert after.tasks[T2].state == "cancelled"
    assert not after.is_overdue(NOON)


def test_what_a_trial_tries_is_what_its_training_gets() -> None:
    facts = search(*RUNNING).aggregate().training_of(numbered(1, *TWO)[0])
    assert facts["settings"] == {"C": 0.1, "max_iter": 50}
    assert (facts["search"], facts["seed"], facts["owner"]) == (SEARCH, 7, "ana")
